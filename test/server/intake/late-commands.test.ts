import { afterEach, beforeEach, expect, test } from "vitest";
import { gitHost, people } from "../../../src/adapters/github/host.ts";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import { bodyHashOf } from "../../../src/domain/guardrails/commenter.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { runLateCommand } from "../../../src/server/intake/late-commands.ts";
import { anIncident } from "../../builders.ts";
import { connect, type Session, startShop } from "../../lab/forge-shop.ts";
import { migratedDatabase } from "../../postgres.ts";

let forge: Awaited<ReturnType<typeof startShop>>;
let session: Session;
let store: Store;
let pull: number;
const told: string[] = [];
const incident = anIncident();

beforeEach(async () => {
  forge = await startShop({
    files: { ".github/rectify.yml": "namespaces: [shop-production]\n", "README.md": "shop\n" },
  });
  session = await connect(forge);
  store = await openStore(await migratedDatabase());
  await forge.push({ "other.txt": "x\n" }, { message: "x", author: "wim", branch: "rectify/web" });
  pull = await forge.openPull("wim", { title: "x", head: "rectify/web" });
  await store.recordIncident(incident);
  await store.recordPull(pull, incident.uid);
  await store.endIncident(incident.uid, { ending: "declined", because: "ada rejected it", outcome: null });
  told.length = 0;
});
afterEach(async () => {
  await Promise.all([forge.close(), store.close()]);
});

async function says(body: string) {
  const comment = await forge.comment(pull, "wim", body);
  const message = { kind: "command", comment, bodyHash: bodyHashOf(body) } as const;
  const ports = {
    people: people(session.client),
    github: gitHost(session.client, session.mirror),
    records: store,
    clock: { now: () => new Date() },
    telemetry: { log: (_incident: string, _verb: string, text: string) => void told.push(text) },
  };
  await runLateCommand({ pull, message }, store, ports as unknown as Ports);
  return comment;
}

async function closed(): Promise<void> {
  const { octokit, repository } = session.client;
  forge.excused.add("Z3");
  await octokit.rest.pulls.update({ ...repository, pull_number: pull, state: "closed" });
}

const answers = () => forge.comments(pull).filter(({ user }) => user?.type === "Bot");

test.each([403, 410, 451])(
  "a late command that GitHub does not show again (%i) is answered, and does nothing",
  async (status) => {
    await closed();
    forge.faults = ({ method, path }) =>
      method === "GET" && /issues\/comments\/\d+$/.test(path) ? { when: "before", answer: { status } } : undefined;
    const comment = await says("/dispute");
    expect(answers().map(({ body }) => body)).toEqual([
      expect.stringContaining("the comment could not be verified: try again later"),
    ]);
    expect(await store.withdrawals()).toEqual([]);
    // It is on record: looking finds it no second time.
    expect(await store.ranComment(incident.uid, comment)).toBe(true);
    forge.faults = undefined;
    await says("/dispute");
    expect(await store.withdrawals()).toMatchObject([{ incident: incident.uid, by: "wim" }]);
  },
);

test("talk that GitHub does not show again gets no answer", async () => {
  await closed();
  forge.faults = ({ method, path }) =>
    method === "GET" && /issues\/comments\/\d+$/.test(path) ? { when: "before", answer: { status: 403 } } : undefined;
  await says("what a day");
  expect(answers()).toEqual([]);
  expect(told).toEqual([]);
});
