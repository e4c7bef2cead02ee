import type { Message } from "../../ports/workflow.ts";

// A lost webhook is noticed after this many polls at the latest.
const longestPause = 20;

/**
 * How long to wait before the next look. Whatever happens sends a message, so that a quiet workflow looks ever more rarely:
 * each look is a row on record, which a restart has to read again. `pauseMs` is the wait before, 0 at first.
 */
export function pauseAfter(pauseMs: number, news: Message | undefined, pollMs: number): number {
  const isNews = news !== undefined && news.kind !== "taken-over";
  if (isNews || pauseMs === 0) return pollMs;
  return Math.min(2 * pauseMs, longestPause * pollMs);
}
