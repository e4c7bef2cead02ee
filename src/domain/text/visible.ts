/**
 * Text as the eye sees it: without control characters other than line breaks and tabs, and without the bidirectional
 * and invisible ones that make a line read differently from what it says.
 */
export function visible(text: string): string {
  return text.replace(/\r\n?/g, "\n").replace(unseen, "");
}

// Zero-width joiners stay: scripts and emoji need them. Tags (U+E0000 and on) and fillers can carry hidden words.
const unseen =
  /[\p{Cs}\u0000-\u0008\u000B-\u001F\u007F-\u009F\u00AD\u061C\u115F\u1160\u180E\u200B\u200E\u200F\u2028-\u202E\u2060-\u206F\u3164\uFEFF\uFFA0\uFFF9-\uFFFB\u{E0000}-\u{E0FFF}]/gu;
