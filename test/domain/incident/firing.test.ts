import { expect, test } from "vitest";
import { firesForAny, firing } from "../../../src/domain/incident/firing.ts";
import type { Concern } from "../../../src/domain/incident/incident.ts";
import { anAlert } from "../../builders.ts";

const workload = { kind: "Deployment", namespace: "shop", name: "web" } as const;
const concern: Concern = { kind: "workload", workload, way: "label deployment" };

test("an alert that somebody silenced fires for its incident, and asks nobody for capacity", () => {
  const seen = (muted: boolean) => [{ alert: { ...anAlert(), ...(muted ? { muted: true as const } : {}) }, concern }];
  const own = { workload, alerts: [anAlert()] };
  expect([firing(own, seen(true)), firing(own, seen(false)), firing(own, [])]).toEqual([true, true, false]);
  expect([firesForAny([workload], seen(true)), firesForAny([workload], seen(false))]).toEqual([false, true]);
});
