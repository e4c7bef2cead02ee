import type { Window } from "./guardrails.ts";

const dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"] as const;

/** True when a change may merge now without a person. No windows at all means always. */
export function isInsideWindows(windows: readonly Window[], now: Date): boolean {
  return windows.length === 0 || windows.some((window) => isInside(window, now));
}

/** One line for people: `mon, tue 09:00–17:00 Europe/Berlin`. */
export function renderWindow(window: Window): string {
  return `${window.days.join(", ")} ${window.from}–${window.to} ${window.timeZone}`;
}

/** A window belongs to the day on which it begins; `to` before `from` ends it on the next day. `to` itself is outside. */
function isInside({ days, from, to, timeZone }: Window, now: Date): boolean {
  const { day, time } = localTime(now, timeZone);
  const startsOn = (offset: number) => days.some((name) => name === dayNames[(day + 7 + offset) % 7]);
  if (from < to) return startsOn(0) && time >= from && time < to;
  return (startsOn(0) && time >= from) || (startsOn(-1) && time < to);
}

/** The clock on the wall of a time zone: 0 = Monday, and `HH:MM`. */
function localTime(now: Date, timeZone: string): { readonly day: number; readonly time: string } {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
  const parts = Object.fromEntries(format.formatToParts(now).map((part) => [part.type, part.value]));
  const day = dayNames.findIndex((name) => name === parts.weekday?.toLowerCase());
  return { day, time: `${parts.hour}:${parts.minute}` };
}
