import { readFileSync } from "node:fs";
import { join } from "node:path";
import { runningPostgres } from "../../adapters/postgres/server.ts";
import { openStore, type Store } from "../../adapters/postgres/store.ts";
import { readCapsule } from "../../domain/records/capsule.ts";
import { renderExplanation, renderReplay } from "../../domain/records/explanation.ts";

/** What a command prints, and its exit code. */
export interface Told {
  readonly lines: readonly string[];
  readonly code: 0 | 1;
}

export const noRecords =
  "there are no records here: set DATABASE_URL, or RECTIFY_DATA to the data of a running Rectify";

/** The records of a Rectify: `DATABASE_URL`, or the server that runs in `RECTIFY_DATA`; undefined when there are none. */
export async function openRecords(env: Readonly<Record<string, string | undefined>>): Promise<Store | undefined> {
  const url = env.DATABASE_URL || runningPostgres(join(env.RECTIFY_DATA || ".rectify", "postgres"));
  return url === undefined ? undefined : openStore(url);
}

/** Explains one incident from the records of a Rectify. */
export async function explain(uid: string, env: Readonly<Record<string, string | undefined>>): Promise<Told> {
  const store = await openRecords(env);
  if (store === undefined) return failed(noRecords);
  try {
    const record = await store.incident(uid);
    if (record === undefined)
      return failed(
        `no incident ${JSON.stringify(uid)} is on record: the pages list them all, an Incident-UID is in each pull request`,
      );
    const [events, document, steps, exchanges, lease] = await Promise.all([
      ...([
        store.eventsOf(uid),
        store.capsule(uid),
        store.stepCosts(uid),
        store.exchangesOf(uid),
        store.leaseOf(uid),
      ] as const),
    ]);
    const capsule = document === undefined ? undefined : readCapsule(document);
    return { lines: renderExplanation({ ...record, events, capsule, steps, exchanges, lease }), code: 0 };
  } finally {
    await store.close();
  }
}

/** Repeats the diagnosis of a capsule file, offline; code 1 when it differs from the recorded one. */
export function replay(path: string): Told {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch (error) {
    return failed(`the capsule cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { lines, same } = renderReplay(readCapsule(text));
  return { lines, code: same ? 0 : 1 };
}

function failed(problem: string): Told {
  return { lines: [problem], code: 1 };
}
