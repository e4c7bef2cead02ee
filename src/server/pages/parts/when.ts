import { html } from "hono/html";
import type { Part } from "./layout.ts";

/** An RFC 3339 time to the second, as a reader writes it, in UTC. */
export function clock(at: string): string {
  return at.replace("T", " ").slice(0, 19);
}

/** A time with its zone and how long ago it was. */
export function when(at: string, now: Date): Part {
  return html`<time datetime="${at}">${clock(at)} UTC</time> <span class="dim">${ago(at, now)}</span>`;
}

/** How long ago: `46 s ago`. */
export function ago(at: string, now: Date): string {
  const passed = now.getTime() - Date.parse(at);
  if (!Number.isFinite(passed)) return "";
  return passed < 1_000 ? "just now" : `${lasting(passed)} ago`;
}

const units = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["min", 60_000],
  ["s", 1_000],
] as const;

/** A duration for people, in its two largest units: `2 h 5 min`, `46 s`. */
export function lasting(ms: number): string {
  const first = units.findIndex(([, size]) => ms >= size);
  if (first === -1) return `${Math.max(0, Math.round(ms))} ms`;
  const [name, size] = units[first] ?? ["s", 1_000];
  const whole = Math.floor(ms / size);
  const next = units[first + 1];
  const rest = next === undefined ? 0 : Math.floor((ms - whole * size) / next[1]);
  return next === undefined || rest === 0 ? `${whole} ${name}` : `${whole} ${name} ${rest} ${next[0]}`;
}
