import { masked } from "./masking.ts";

/** One line without secrets and without control, bidirectional, zero-width or unpaired characters. */
export function oneLine(text: string, longest: number): string {
  // Once more: invisible signs inside of a secret hide it from the first look.
  return cut(masked(inOneLine(masked(text).text)).text, longest);
}

/** The same of a text of our own: words such as `TOKEN: is missing` only look like secrets. */
export function ownLine(text: string, longest: number): string {
  return cut(inOneLine(text), longest);
}

function inOneLine(text: string): string {
  return text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ").replace(/[\p{Cf}\p{Cs}\p{Co}\p{Cn}]/gu, "");
}

function cut(text: string, longest: number): string {
  return [...text.trim()].reduce((kept, sign) => (kept.length + sign.length > longest ? kept : kept + sign), "");
}
