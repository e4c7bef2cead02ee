import { expect, test } from "vitest";
import { openStore } from "../../../../src/adapters/postgres/store.ts";
import { readModes } from "../../../../src/domain/guardrails/mode.ts";
import { latchOver } from "../../../../src/server/jobs/shadow/shadow-latch.ts";
import { treeOf } from "../../../../src/domain/kubernetes/tree.ts";
import { anIncident } from "../../../builders.ts";
import { migratedDatabase } from "../../../postgres.ts";

const head = (guardrails: string) => async () => ({
  sha: guardrails,
  tree: treeOf({ ".github/rectify.yml": guardrails }),
});

test("a process that starts with guardrails that nobody can read goes by what the one before it read", async () => {
  const url = await migratedDatabase();
  const before = await openStore(url);
  expect(readModes(await before.readModes())).toBeUndefined();
  await latchOver(before, head("mode: shadow\ndashboard: false\n")).isOn();
  await before.close();
  const after = await openStore(url);
  expect(readModes(await after.readModes())).toMatchObject({ mode: "shadow", dashboard: false });
  const refusal = await latchOver(after, head("mode: [\n")).refusal("update issue");
  expect(refusal).toContain("shadow mode");
  await after.close();
});

test("the last door knows the class of an incident, and of a pull request, by what is on record", async () => {
  const store = await openStore(await migratedDatabase());
  const incident = anIncident();
  await store.recordIncident(incident);
  await store.recordPull(7, incident.uid);
  const latch = latchOver(store, head("modes: [{ namespace: shop-production, mode: shadow }]\n"));
  expect(await latch.refusal("create comment", { incident: incident.uid, pull: 7 })).toContain("shadow mode");
  expect(await latch.refusal("add labels", { pull: 7 })).toContain("shadow mode");
  expect(await latch.refusal("add labels", { pull: 8 })).toBeUndefined();
  expect(await latch.refusal("react", { incident: "another" })).toBeUndefined();
  await store.close();
});
