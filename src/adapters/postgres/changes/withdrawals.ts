import type { Withdrawal } from "../../../domain/records/post-mortem.ts";
import type { WithdrawalRecord } from "../../../domain/records/precedent.ts";
import type { Query } from "../query.ts";

/** What people took out of the memory. */
export function withdrawalRecord(query: Query): WithdrawalRecord {
  return {
    async withdraw(incident: string, { kind, by, at }: Withdrawal) {
      const text = "insert into withdrawal (incident, kind, by, at) values ($1, $2, $3, $4) on conflict do nothing";
      await query(text, [incident, kind, by, at]);
    },
    async withdrawals() {
      const { rows } = await query("select incident, kind, by, at from withdrawal order by at, incident");
      return rows.map((row) => ({ incident: row.incident, kind: row.kind, by: row.by, at: row.at.toISOString() }));
    },
  };
}
