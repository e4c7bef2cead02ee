import { afterEach, beforeEach, expect, test } from "vitest";
import { guardrailsHost } from "../../../src/adapters/github/guardrails.ts";
import { people } from "../../../src/adapters/github/host.ts";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import { bodyHashOf } from "../../../src/domain/guardrails/commenter.ts";
import { Refused, Unavailable } from "../../../src/ports/errors.ts";
import { lookForGuardrails, lookForLateCommands, type LateLooks } from "../../../src/server/jobs/late-looks.ts";
import { anIncident } from "../../builders.ts";
import { connect, type Session, startShop } from "../../lab/forge-shop.ts";
import { migratedDatabase } from "../../postgres.ts";

let forge: Awaited<ReturnType<typeof startShop>>;
let session: Session;
let store: Store;
let heard: { pull: number; comment: number; bodyHash: string }[];
let checked: number[];
let minutes: number;
let fails: boolean;
/** A comment that nobody can run. */
let poison: number | undefined;
let told: string[];
let remembered = 0;
const incident = anIncident();

beforeEach(async () => {
  forge = await startShop({});
  session = await connect(forge);
  store = await openStore(await migratedDatabase());
  await store.recordIncident(incident);
  [heard, checked, minutes, fails, poison, told] = [[], [], 0, false, undefined, []];
});
afterEach(async () => {
  await Promise.all([forge.close(), store.close()]);
});

const looks = (): LateLooks => ({
  store,
  ports: {
    ...{ people: people(session.client), guardrailsHost: guardrailsHost(session.client) },
    clock: { now: () => new Date(Date.now() + minutes * 60_000) },
    telemetry: { log: (_incident, _verb, text) => void told.push(text) },
  },
  run: async ({ pull, message: { comment, bodyHash } }) => {
    if (fails) throw new Unavailable("GitHub is away");
    if (comment === poison) throw new Error("a fault of our own");
    heard.push({ pull, comment, bodyHash });
  },
  check: async (pull) => {
    if (pull === poison) throw new Refused("GitHub 422: the blob is too large");
    checked.push(pull);
  },
  remember: async () => void (remembered += 1),
});

async function pullOf(author: string, branch: string): Promise<number> {
  await forge.push({ "other.txt": `${branch}\n` }, { message: branch, author, branch });
  return forge.openPull(author, { title: branch, head: branch });
}

test("a command under a proposal of ours is found without a webhook, once", async () => {
  const pull = await pullOf("wim", "rectify/web");
  await store.recordPull(pull, incident.uid);
  const foreign = await pullOf("wim", "other");
  await forge.comment(pull, "wim", "I do not like it");
  const body = "/dispute";
  const comment = await forge.comment(pull, "wim", body);
  await forge.comment(foreign, "wim", "/rollback");
  await lookForLateCommands(looks());
  expect(heard).toEqual([{ pull, comment, bodyHash: bodyHashOf(body) }]);
  // Within a minute nobody looks again; afterwards what was judged is not heard again.
  await lookForLateCommands(looks());
  await store.audit({ incident: incident.uid, actor: "wim", action: "command dispute", detail: { comment } });
  minutes = 2;
  await lookForLateCommands(looks());
  expect(heard).toHaveLength(1);
});

test("one that cannot be run, or checked, is told and stands in nobody's way", async () => {
  const pull = await pullOf("wim", "rectify/web");
  const other = await pullOf("wim", "other");
  await store.recordPull(pull, incident.uid);
  poison = await forge.comment(pull, "wim", "/dispute");
  const behind = await forge.comment(pull, "wim", "/forget");
  await lookForLateCommands(looks());
  expect(heard.map(({ comment }) => comment)).toEqual([behind]);
  expect(told).toContain(`comment ${poison} could not be run: a fault of our own`);
  poison = pull;
  await lookForGuardrails(looks());
  expect(checked).toEqual([other]);
  expect(told.at(-1)).toBe(`#${pull} could not be checked: GitHub 422: the blob is too large`);
});

test("what could not be run is found again", async () => {
  const pull = await pullOf("wim", "rectify/web");
  await store.recordPull(pull, incident.uid);
  await forge.comment(pull, "wim", "/rollback");
  fails = true;
  await expect(lookForLateCommands(looks())).rejects.toThrow("GitHub is away");
  fails = false;
  await lookForLateCommands(looks());
  expect(heard.map((one) => one.pull)).toEqual([pull]);
});

test("open pull requests of others that changed are checked, old ones are not", async () => {
  const pull = await pullOf("wim", "guardrails");
  await lookForGuardrails(looks());
  expect(checked).toEqual([pull]);
  minutes = 10;
  await lookForGuardrails(looks());
  // Once more, because GitHub's lists lag; then it is old.
  expect(checked).toEqual([pull, pull]);
  minutes = 20;
  await lookForGuardrails(looks());
  expect(checked).toHaveLength(2);
});

test("what the guardrails say is read each time: where nothing is ever written nobody else asks", async () => {
  const before = remembered;
  await lookForGuardrails(looks());
  await lookForGuardrails(looks());
  expect(remembered - before).toBe(2);
});
