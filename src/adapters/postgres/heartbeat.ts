import type { Query } from "./query.ts";

/** Whether the database takes writes: reading works also where it is read-only, or its disk is full. */
export function heartbeat(query: Query) {
  return {
    /** Writes one row and answers the database's time. Throws `Unavailable` where writes fail. */
    async beat(): Promise<Date> {
      const text = `insert into heartbeat (id, at) values (1, clock_timestamp())
        on conflict (id) do update set at = excluded.at returning at`;
      const { rows } = await query(text);
      return new Date(rows[0]?.at as string);
    },
  };
}
