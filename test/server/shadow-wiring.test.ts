import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore } from "../../src/adapters/postgres/store.ts";
import { openIncident } from "../../src/domain/incident/incident.ts";
import { forgeWrites } from "../../src/lab/forge/writes.ts";
import { approver, type Scenario } from "../../src/lab/scenario.ts";
import { until } from "../../src/lab/start.ts";
import { type LabWorld, openWorld } from "../../src/lab/world.ts";
import type { Rectify } from "../../src/main.ts";
import { anAlert } from "../builders.ts";
import { startProduct } from "../engine.ts";
import { freshDatabase } from "../postgres.ts";

const scenario: Scenario = {
  about: "only one namespace is in shadow mode",
  guardrails: { modes: [{ namespace: "quiet", mode: "shadow" }], dashboard: false },
  world: { coarse: 1, scriptedModel: true, rules: [] },
  run: async () => undefined,
  expected: async () => [],
};
const directory = mkdtempSync(join(tmpdir(), "rectify-wiring-"));
const told: string[] = [];
let world: LabWorld;
let rectify: Rectify;
let databaseUrl: string;

beforeAll(async () => {
  world = await openWorld(directory, scenario);
  databaseUrl = await freshDatabase();
});
afterAll(async () => {
  await rectify.close();
  await world.close();
  rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
});

/** A person disputed what became of a closed pull request of ours; what is written for it names one of the two. */
async function disputed(namespace: string): Promise<{ readonly uid: string; readonly places: readonly string[] }> {
  const { forge } = world;
  const incident = openIncident("lab", { kind: "Deployment", namespace, name: "web" }, anAlert());
  await forge.push({ [`${namespace}.txt`]: "x\n" }, { message: "x", author: approver, branch: namespace });
  const pull = await forge.openPull(approver, { title: namespace, head: namespace, base: "main" });
  await forge.closeBy(approver, pull);
  const store = await openStore(databaseUrl);
  await store.recordIncident(incident);
  await store.recordPull(pull, incident.uid);
  await store.endIncident(incident.uid, { ending: "declined", because: "closed by a person", outcome: null });
  await store.close();
  const comment = await forge.comment(pull, approver, "/dispute");
  return { uid: incident.uid, places: [`/issues/${pull}/comments`, `/issues/comments/${comment}/reactions`] };
}

test("a running Rectify answers under an old proposal, and not where its class is in shadow mode", async () => {
  const [loud, quiet] = [await disputed("loud"), await disputed("quiet")];
  const settings = { ...world.settings, dataDirectory: directory, databaseUrl };
  rectify = await startProduct(settings, {
    log: (incident, verb, text) => void told.push(`${incident} ${verb}: ${text}`),
  });
  for (const { uid } of [loud, quiet])
    await until("the word to be heard", () => told.some((line) => line.startsWith(`${uid} learn: ${approver} said`)));
  const writes = forgeWrites(world.forge);
  const of = ({ places }: typeof loud) => writes.filter((line) => places.some((place) => line.includes(place)));
  expect([of(loud).length, of(quiet)]).toEqual([2, []]);
  expect(await rectify.store.withdrawals()).toHaveLength(2);
}, 120_000);
