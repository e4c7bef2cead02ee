import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listen } from "../../../src/adapters/http/listener.ts";
import { connectTo } from "../../../src/adapters/postgres/query.ts";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import { Unavailable } from "../../../src/ports/errors.ts";
import { internalRoutes, webhookRoutes } from "../../../src/server/routes.ts";
import { aDelivery, anAlert } from "../../builders.ts";
import { migratedDatabase } from "../../postgres.ts";

/** Between us and Postgres; while it is a hole, nothing passes and nobody is told. */
let hole = false;
const sockets = new Set<Socket>();
let url: string;
const closing: (() => Promise<void>)[] = [];

beforeAll(async () => {
  const real = new URL(await migratedDatabase());
  const server = createServer((inside) => {
    const outside = connect(Number(real.port), real.hostname);
    for (const [from, to] of [
      [inside, outside],
      [outside, inside],
    ] as const) {
      sockets.add(from);
      from.on("data", (data) => void (hole || to.write(data)));
      from.on("error", () => undefined);
      from.on("close", () => to.destroy());
    }
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  closing.push(() => new Promise((done) => server.close(() => done())));
  const there = new URL(real);
  there.hostname = "127.0.0.1";
  there.port = String((server.address() as AddressInfo).port);
  url = there.toString();
});
afterAll(async () => {
  hole = false;
  for (const close of closing.toReversed()) {
    for (const socket of sockets) socket.destroy();
    await close();
  }
});

test("a server that says nothing any more is away, and one that speaks again is asked again", async () => {
  const { query, close } = connectTo(url, 200);
  closing.push(close);
  expect((await query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  hole = true;
  await expect(query("select 1 as one")).rejects.toThrow(Unavailable);
  hole = false;
  expect((await query("select 2 as two")).rows).toEqual([{ two: 2 }]);
});

test("while Postgres says nothing, alerts, webhooks and the look at readiness have their answer: come back", async () => {
  const store: Store = await openStore(url);
  closing.push(store.close);
  const intake = { store, alertsToken: "t", notify: () => undefined, app: { verify: async () => true }, answerMs: 200 };
  const listener = await listen([...internalRoutes(intake), ...webhookRoutes(intake)], { host: "127.0.0.1", port: 0 });
  closing.push(listener.close);
  const ask = async (path: string, init: RequestInit = {}) =>
    (await fetch(`http://127.0.0.1:${listener.port}${path}`, init)).status;
  const post = (path: string, delivery: string) =>
    ask(path, {
      method: "POST",
      body: JSON.stringify(aDelivery([anAlert()])),
      headers: {
        ...{ authorization: "Bearer t", "content-type": "application/json" },
        ...{ "x-hub-signature-256": "any", "x-github-delivery": delivery, "x-github-event": "push" },
      },
    });
  expect([await post("/alerts", "a"), await post("/webhooks/github", "a"), await ask("/readyz")]).toEqual([
    202, 202, 200,
  ]);
  hole = true;
  expect([await post("/alerts", "b"), await post("/webhooks/github", "b"), await ask("/healthz")]).toEqual([
    503, 503, 200,
  ]);
  await expect.poll(() => ask("/readyz")).toBe(503);
  hole = false;
});
