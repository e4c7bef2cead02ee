import { expect, test } from "vitest";
import type { Alert } from "../../../src/domain/incident/alert.ts";
import type { Concern } from "../../../src/domain/incident/incident.ts";
import { recordPlaces, unplacedText } from "../../../src/server/intake/place-alerts.ts";
import { anAlert, anIncident } from "../../builders.ts";

test("what another process sees to is not on our record, and no longer once it was", async () => {
  const { workload } = anIncident();
  const concerns: readonly Concern[] = [
    { kind: "workload", workload, way: "label" },
    { kind: "beside", because: "it is left to the repository acme/bank", workload },
    { kind: "nobody", because: "no label", line: "alerts:" },
    { kind: "ignored", because: "the guardrails say so" },
  ];
  const recorded: Record<"placed" | "unplaced" | "told", string[]> = { placed: [], unplaced: [], told: [] };
  const store = {
    placed: async (alerts: readonly Alert[]) => void recorded.placed.push(...alerts.map(({ name }) => name)),
    recordUnplaced: async ({ name }: Alert) => recorded.unplaced.push(name) > 0,
  };
  const telemetry = { log: (_: string, __: string, text: string) => void recorded.told.push(text) };
  const alerts = concerns.map((concern) => ({ alert: anAlert({ name: concern.kind }), concern }));
  await recordPlaces({ store, telemetry, concerns: { of: async () => concerns[0] as Concern } }, alerts);
  expect(recorded).toEqual({
    placed: ["workload", "beside"],
    unplaced: ["nobody", "ignored"],
    told: ["alert nobody: observed only: no label", "alert ignored: ignored: the guardrails say so"],
  });
  expect(unplacedText({ kind: "beside", because: "it is left to the repository acme/bank" })).toBe(
    "it is left to the repository acme/bank",
  );
});
