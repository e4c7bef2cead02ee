import type { Query } from "../query.ts";

/** Up to when something was looked through, for all processes and over restarts. */
export function looks(query: Query) {
  return {
    async lookedUntil(what: string): Promise<Date | undefined> {
      const { rows } = await query("select until from look where what = $1", [what]);
      return rows[0]?.until ?? undefined;
    },
    async lookedAt(what: string, until: Date) {
      const text = `insert into look as l (what, until) values ($1, $2)
        on conflict (what) do update set until = greatest(l.until, excluded.until)`;
      await query(text, [what, until]);
    },
    /** A command in this comment was judged already. */
    async ranComment(incident: string, comment: number): Promise<boolean> {
      const text = `select 1 from audit where incident = $1 and action like 'command %' and detail ->> 'comment' = $2 limit 1`;
      return ((await query(text, [incident, String(comment)])).rowCount ?? 0) > 0;
    },
  };
}
