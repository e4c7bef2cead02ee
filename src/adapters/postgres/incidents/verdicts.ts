import { PastRecord } from "../../../domain/backtest/record.ts";
import type { Query } from "../query.ts";

/** What shadow mode came to; a row that cannot be read is left out. */
export function shadowVerdicts(query: Query) {
  return {
    /** Oldest first, the first 5,000 since then. */
    async shadowVerdicts(since: Date): Promise<PastRecord[]> {
      const text = `select story->'shadow' as verdict from incident
        where ending = 'shadow' and ended_at >= $1 order by ended_at limit 5000`;
      const { rows } = await query(text, [since]);
      return rows.flatMap(({ verdict }) => {
        const read = PastRecord.safeParse(verdict);
        return read.success ? [read.data] : [];
      });
    },
  };
}
