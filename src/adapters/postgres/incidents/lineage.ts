import { type AuditEntry, auditHash, type AuditRow } from "../../../domain/records/audit.ts";
import type { Query } from "../query.ts";

/** One line of an incident's lineage. */
export interface IncidentEvent {
  /** RFC 3339. */
  readonly at: string;
  readonly verb: string;
  readonly text: string;
}

/** Everything by which an incident can be explained later. */
export function lineage(query: Query) {
  return {
    async saveCapsule(incident: string, document: string) {
      const insert = "insert into capsule (incident, document) values ($1, $2)";
      const text = `${insert} on conflict (incident) do update set document = excluded.document`;
      await query(text, [incident, document]);
    },
    async capsule(incident: string): Promise<string | undefined> {
      const { rows } = await query("select document from capsule where incident = $1", [incident]);
      return rows[0]?.document;
    },
    async recordEvent(incident: string, verb: string, text: string) {
      await query("insert into event (incident, verb, text) values ($1, $2, $3)", [incident, verb, text]);
    },
    /** What was told about an incident, oldest first. */
    async eventsOf(incident: string): Promise<IncidentEvent[]> {
      const { rows } = await query("select at, verb, text from event where incident = $1 order by id", [incident]);
      return rows.map((row) => ({ at: row.at.toISOString(), verb: row.verb, text: row.text }));
    },
  };
}

const auditColumns = "at, incident, actor, action, detail, previous, hash";

function auditRow(row: Omit<AuditRow, "at"> & { readonly at: Date }): AuditRow {
  const { incident, actor, action, detail, previous, hash } = row;
  return { at: row.at.toISOString(), incident, actor, action, detail, previous, hash };
}

/** The append-only log of mutating calls. */
export function audit(query: Query) {
  return {
    /** Appends to the audit chain. */
    async audit(entry: AuditEntry) {
      const { incident, actor, action, detail } = entry;
      // Two writers may want the same place in the chain: the unique `previous` lets one in, the other tries the next.
      for (let placed = false; !placed; ) {
        const { rows } = await query("select hash from audit order by id desc limit 1");
        const previous: string = rows[0]?.hash ?? "";
        const at = new Date().toISOString();
        const hash = auditHash(previous, { at, ...entry });
        const text = `insert into audit (at, incident, actor, action, detail, previous, hash)
          values ($1, $2, $3, $4, $5, $6, $7) on conflict (previous) do nothing`;
        const values = [at, incident, actor, action, JSON.stringify(detail), previous, hash];
        placed = (await query(text, values)).rowCount === 1;
      }
    },
    /** The whole log, oldest first. */
    async auditRows(): Promise<AuditRow[]> {
      const { rows } = await query(`select ${auditColumns} from audit order by id`);
      return rows.map(auditRow);
    },
    /** At most so many rows behind this one, oldest first, and the last one's id. */
    async auditAfter(id: number, most: number): Promise<{ readonly rows: readonly AuditRow[]; readonly last: number }> {
      const text = `select id, ${auditColumns} from audit where id > $1 order by id limit $2`;
      const { rows } = await query(text, [id, most]);
      return { rows: rows.map(auditRow), last: Number(rows.at(-1)?.id ?? id) };
    },
    /** The newest rows, oldest first: of the whole log, or of one incident. */
    async auditNewest(incident: string | undefined, most: number): Promise<AuditRow[]> {
      const text = `select * from (select id, ${auditColumns} from audit where $1::text is null or incident = $1
        order by id desc limit $2) newest order by id`;
      const { rows } = await query(text, [incident ?? null, most]);
      return rows.map(auditRow);
    },
    async auditCount(incident: string): Promise<number> {
      return Number((await query("select count(*) from audit where incident = $1", [incident])).rows[0]?.count ?? 0);
    },
    /** The rows of one incident, oldest first: a part of the chain, which proves nothing by itself. */
    async auditOf(incident: string): Promise<AuditRow[]> {
      const { rows } = await query(`select ${auditColumns} from audit where incident = $1 order by id`, [incident]);
      return rows.map(auditRow);
    },
  };
}
