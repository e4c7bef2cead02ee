import { expect, test } from "vitest";
import { courseOf, readAlertDelivery } from "../../../src/domain/incident/alert.ts";
import { anAlert } from "../../builders.ts";

const start = "2026-11-24T02:00:00Z";

test.each([
  ["resolved", "2026-11-24T02:20:00.5Z", "2026-11-24T02:20:00.500Z"],
  ["resolved", "2026-11-24T04:20:00+02:00", "2026-11-24T02:20:00.000Z"],
  // Of one that fires it is when Alertmanager would give up on it.
  ["firing", "2026-11-24T02:04:00Z", undefined],
  ["resolved", "0001-01-01T00:00:00Z", undefined],
  ["resolved", "soon", undefined],
  ["resolved", undefined, undefined],
])("an alert that is %s and ends at %s ended at %s", (status, endsAt, wanted) => {
  const alert = { status, endsAt, startsAt: start, fingerprint: "a", labels: { alertname: "A" } };
  const read = readAlertDelivery({ version: "4", alerts: [alert] });
  expect(read).toMatchObject({ kind: "alerts", alerts: [{ status }] });
  expect(read.kind === "alerts" && read.alerts[0]?.endsAt).toBe(wanted);
});

test.each([
  ["one fires", [60_000, undefined], "fires"],
  ["the last ended a moment ago", [60_000, 3_600_000], "lingers"],
  ["all ended long ago", [400_000, 3_600_000], "over"],
  ["clocks differ by minutes", [-120_000], "lingers"],
  ["an end lies days ahead", [-86_400_000], "over"],
])("where %s, the course of all is told", (_, agoMs, course) => {
  const now = new Date("2026-11-29T12:00:00Z");
  const alerts = agoMs.map((ago) =>
    ago === undefined
      ? anAlert()
      : anAlert({ status: "resolved", endsAt: new Date(now.getTime() - ago).toISOString() }),
  );
  expect(courseOf(alerts, now, 300_000)).toBe(course);
  expect(courseOf([anAlert({ status: "resolved" })], now, 300_000)).toBe("over");
});
