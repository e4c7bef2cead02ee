import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { alertmanager } from "../../../src/adapters/monitoring/alertmanager.ts";
import { Refused, Unavailable } from "../../../src/ports/errors.ts";
import type { Alerts } from "../../../src/ports/monitoring.ts";
import { openShop, type TestShop } from "../../lab/cluster-shop.ts";
import { expectFailure, letdowns, patienceFor, sourceOf } from "./sources.ts";

let shop: TestShop;
let alerts: Alerts;
beforeAll(async () => {
  shop = await openShop();
  alerts = reader();
});
afterAll(() => shop.cluster.close());

const reader = (deadlineMs = patienceFor()) => alertmanager({ url: shop.cluster.urls.alertmanager, deadlineMs });

test("what fires is listed while it fires, and no longer", async () => {
  expect(await alerts.active()).toEqual([]);
  shop.cluster.setLoad("web", 200);
  await shop.cluster.advance(4_000);
  expect(await alerts.active()).toContainEqual(
    expect.objectContaining({
      ...{ name: "HighRequestLatency", status: "firing" },
      labels: expect.objectContaining({ deployment: "web", severity: "critical" }),
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
    }),
  );
});

describe.each(letdowns)("when Alertmanager %s", (_, fault, kind, reason) => {
  test("the reader says so, and never that nothing fires", async () => {
    shop.cluster.setFault("alertmanager", fault);
    await expectFailure(reader(patienceFor(fault)).active(), kind, reason);
    shop.cluster.setFault("alertmanager", undefined);
  });
});

const alert = {
  ...{ labels: { alertname: "A" }, annotations: {}, startsAt: "2026-01-01T00:00:00Z", fingerprint: "0" },
  status: { state: "active" },
};

test.each([
  ["an object", { alerts: [] }, /not a list/],
  ["null", null, /not a list/],
  ["an alert without labels", [alert, { ...alert, labels: undefined }], /1 alerts have an unknown shape/],
  ["an alert of an unknown state", [{ ...alert, status: { state: "sleeping" } }], /unknown shape/],
  ["a list of texts", ["a"], /unknown shape/],
])("%s never looks like silence", async (_, body, reason) => {
  const source = await sourceOf({ status: 200, body });
  await expectFailure(alertmanager({ url: source.url }).active(), Refused, reason);
  await source.close();
});

test("an alert that somebody silenced fires, and is told apart", async () => {
  const states = ["active", "suppressed", "unprocessed"];
  const source = await sourceOf({ status: 200, body: states.map((state) => ({ ...alert, status: { state } })) });
  const seen = await alertmanager({ url: source.url }).active();
  expect(seen.map(({ status, muted }) => [status, muted])).toEqual([
    ["firing", undefined],
    ["firing", true],
    ["firing", true],
  ]);
  await source.close();
});

test("a storm of ten thousand alerts is read whole", async () => {
  const annotations = { description: "x".repeat(1_200) };
  const body = Array.from({ length: 10_000 }, (_, at) => ({ ...alert, annotations, fingerprint: String(at) }));
  const source = await sourceOf({ status: 200, body });
  expect(await alertmanager({ url: source.url }).active()).toHaveLength(10_000);
  await source.close();
});

test.each([
  ["has just started may not know every alert yet", 20_000, Unavailable, /runs for 20 s only/],
  ["does not tell since when it runs is not trusted", undefined, Refused, /since when it runs/],
])("an Alertmanager that %s", async (_, upMs, kind, reason) => {
  const uptime = upMs === undefined ? undefined : new Date(Date.now() - upMs).toISOString();
  const source = await sourceOf({ status: 200, body: { uptime } });
  await expectFailure(alertmanager({ url: source.url, warmUpMs: 180_000 }).active(), kind, reason);
  await source.close();
});
