import { expect, test } from "vitest";
import type { Alert } from "../../../../src/domain/incident/alert.ts";
import { alikeTo } from "../../../../src/domain/incident/firing.ts";
import { activeAlerts } from "../../../../src/flow/collect/concerns/active-alerts.ts";
import { anAlert } from "../../../builders.ts";

const storm = Array.from({ length: 300 }, (_, at) =>
  anAlert({ fingerprint: `f${at}`, name: at < 50 ? "HighRequestLatency" : `Other${at}` }),
);

test("in a storm only what may be ours is asked about, and not all of it at once", async () => {
  let asked = 0;
  let now = 0;
  let most = 0;
  const of = async ({ name }: Alert) => {
    asked += 1;
    now += 1;
    most = Math.max(most, now);
    await new Promise((goOn) => setImmediate(goOn));
    now -= 1;
    return { kind: "nobody", because: name, line: "" } as const;
  };
  const ports = { alerts: { active: async () => storm }, concerns: { of } };
  const own = [anAlert({ fingerprint: "f60", name: "HighRequestLatency" })];
  const seen = await activeAlerts(ports, alikeTo(own));
  expect([seen?.length, asked]).toEqual([51, 51]);
  expect(most).toBeLessThanOrEqual(20);
  await activeAlerts(ports);
  expect([asked, most]).toEqual([351, 20]);
});
