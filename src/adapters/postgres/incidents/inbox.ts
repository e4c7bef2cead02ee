import type { Query } from "../query.ts";

/** A raw delivery as it arrived, before anyone parsed it. */
export interface Delivery {
  readonly id: string;
  readonly kind: "alerts" | "github";
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

// As long as GitHub may deliver a webhook again under the same id, and a day more.
const keepMs = 31 * 24 * 3_600_000;

export function inbox(query: Query) {
  return {
    /** Stores the raw delivery; false when this delivery id was already accepted. */
    async accept(kind: Delivery["kind"], headers: Delivery["headers"], body: Uint8Array, delivery?: string) {
      const text = "insert into inbox (kind, delivery, headers, body) values ($1, $2, $3, $4) on conflict do nothing";
      const answer = await query(text, [kind, delivery ?? null, JSON.stringify(headers), Buffer.from(body)]);
      return answer.rowCount === 1;
    },
    /** The oldest deliveries that wait; each look counts as a try, so that a poison one can be parked. */
    async waiting(limit: number): Promise<(Delivery & { tries: number })[]> {
      const text = `update inbox set tries = tries + 1 where id in
        (select id from inbox where outcome is null order by id limit $1 for update skip locked)
        returning id, kind, headers, body, tries`;
      const { rows } = await query(text, [limit]);
      return rows.sort((a, b) => Number(a.id) - Number(b.id));
    },
    async settle(id: string, outcome: string) {
      await query("update inbox set outcome = $2 where id = $1", [id, outcome]);
    },
    /** Deletes what was settled and is old; what is parked stays, with its raw bytes. */
    async forgetDeliveries(now: Date) {
      const text = "delete from inbox where received_at < $1 and outcome is not null and outcome not like 'parked%'";
      await query(text, [new Date(now.getTime() - keepMs).toISOString()]);
    },
    async waitingCount(): Promise<number> {
      const { rows } = await query("select count(*)::int as count from inbox where outcome is null");
      return rows[0]?.count ?? 0;
    },
  };
}
