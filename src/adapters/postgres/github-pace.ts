import type { SharedPace } from "../../ports/github.ts";
import { connectTo, type Query } from "./query.ts";

// At most 300 at once and 600 a minute after: together GitHub's 900 in any minute, whoever calls.
const burst = 300;
const pointsPerSecond = 10;
const burstMs = (burst / pointsPerSecond) * 1000;
// Who would wait longer comes again, and takes nothing meanwhile.
const bookedAheadMs = 30_000;

/** GitHub's pace, kept by the database's clock: one row that every process takes its turns from. */
export function githubPace(query: Query): { readonly githubPace: SharedPace } {
  return {
    githubPace: {
      take: async (gapMs, points) => {
        const spentMs = Math.round((points / pointsPerSecond) * 1000);
        const text = `update github_pace set
            next_write_at = case when $1::int > 0
              then greatest(next_write_at, clock_timestamp()) + $1 * interval '1 millisecond' else next_write_at end,
            spent_until = case when spent_until < clock_timestamp() + $3 * interval '1 millisecond'
              then greatest(spent_until, clock_timestamp()) + $2 * interval '1 millisecond' else spent_until end
          returning extract(epoch from next_write_at - clock_timestamp()) * 1000 - $1 as turn,
            extract(epoch from spent_until - clock_timestamp()) * 1000 as spent,
            extract(epoch from silent_until - clock_timestamp()) * 1000 as silent`;
        const row = (await query(text, [Math.round(gapMs), spentMs, burstMs + bookedAheadMs])).rows[0];
        const turnMs = gapMs > 0 ? milliseconds(row?.turn) : 0;
        const overMs = milliseconds(row?.spent) - burstMs;
        return { waitMs: Math.max(turnMs, overMs, 0), silentMs: milliseconds(row?.silent) };
      },
      silence: async (pauseMs) => {
        const text = `update github_pace
          set silent_until = greatest(silent_until, clock_timestamp() + $1 * interval '1 millisecond')`;
        await query(text, [Math.round(pauseMs)]);
      },
    },
  };
}

function milliseconds(value: unknown): number {
  return Math.max(0, Math.ceil(Number(value ?? 0)));
}

/** The pace that is kept in another database than our own. */
export function openPace(url: string): { readonly githubPace: SharedPace; close(): Promise<void> } {
  const { query, close } = connectTo(url);
  return { ...githubPace(query), close };
}
