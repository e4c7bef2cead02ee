import type { Query } from "../query.ts";

/** Files that the next pull request carries along: post-mortems completed or withdrawn after their own was merged. */
export function pendingFiles(query: Query) {
  return {
    async addPendingFile(path: string, content: string, incident: string) {
      const text = `insert into pending_file (path, content, incident) values ($1, $2, $3)
        on conflict (path) do update set content = excluded.content`;
      await query(text, [path, content, incident]);
    },
    async pendingFiles(first = ""): Promise<{ path: string; content: string }[]> {
      const text = "select path, content from pending_file order by incident = $1 desc, path limit 20";
      const { rows } = await query(text, [first]);
      return rows;
    },
    async dropPendingFiles(landed: readonly { path: string; content: string }[]) {
      const text = `delete from pending_file p using unnest($1::text[], $2::text[]) as landed (path, content)
        where p.path = landed.path and p.content = landed.content`;
      await query(text, [landed.map(({ path }) => path), landed.map(({ content }) => content)]);
    },
  };
}
