import { readFileSync } from "node:fs";
import { readCapsule } from "../../domain/records/capsule.ts";
import { renderExplanation, renderReplay } from "../../domain/records/explanation.ts";
import type { Told } from "../told.ts";
import { whyNot } from "../why-not.ts";
import { type Env, noRecords, openRecords } from "./records.ts";

/** Explains one incident, named by its uid, its pull request or a commit, from the records of a Rectify. */
export async function explain(name: string, env: Env): Promise<Told> {
  const store = await openRecords(env);
  if (store === undefined) return failed(noRecords);
  try {
    const uid = (await store.incidentNamed(name)) ?? name;
    const record = await store.incident(uid);
    if (record === undefined)
      return failed(
        `no incident ${JSON.stringify(name)} is on record, by its uid, pull request or commit: "rectify incidents" lists them all`,
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
    return failed(`${path} ${whyNot(error, "cannot be read")}: name a capsule, as an incident's page hands it out`);
  }
  const { lines, same } = renderReplay(readCapsule(text));
  return { lines, code: same ? 0 : 1 };
}

function failed(problem: string): Told {
  return { lines: [problem], code: 1 };
}
