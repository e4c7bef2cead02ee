import { connect } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listen, type Route } from "../../../src/adapters/http/listener.ts";
import { freshDatabase } from "../../postgres.ts";
import { openListeners } from "../../fuzz/listeners.ts";
import { oddTargets, packetFrom, randomFrom } from "../../fuzz/packets.ts";
import { ask, send } from "../../fuzz/send.ts";

const patience = { quietMs: 300, pieceMs: 5 };
let opened: Awaited<ReturnType<typeof openListeners>>;
const unhandled: unknown[] = [];
const keep = (error: unknown) => unhandled.push(error);

beforeAll(async () => {
  opened = await openListeners(await freshDatabase());
  process.on("unhandledRejection", keep);
});
afterAll(async () => {
  process.off("unhandledRejection", keep);
  await opened.close();
});

const stands = async (port: number) => expect((await ask(port, "/healthz", patience)).statuses).toEqual([200]);

test.each(oddTargets)("the request target %j has an answer on both ports", async (target) => {
  for (const port of opened.ports) {
    const { statuses } = await ask(port, target, { ...patience, quietMs: 5_000 });
    expect(statuses).toHaveLength(1);
    expect(statuses[0]).toBeLessThan(500);
    await stands(port);
  }
  expect([unhandled, opened.faults]).toEqual([[], []]);
});

test("five hundred odd packets leave both listeners standing, and none is our fault", async () => {
  const random = randomFrom(14);
  for (let round = 0; round < 25; round += 1) {
    const packets = Array.from({ length: 20 }, () => packetFrom(random));
    await Promise.all(packets.map((packet, index) => send(opened.ports[index % 2] ?? 0, packet, patience)));
  }
  for (const port of opened.ports) await stands(port);
  expect([unhandled, opened.faults]).toEqual([[], []]);
});

test("whatever a route throws, the request has an answer and the next one too", async () => {
  const heard: unknown[] = [];
  const route = (path: string, answer: Route["answer"], rest: Partial<Route> = {}): Route => ({
    ...{ method: "GET", path, answer },
    ...rest,
  });
  const fine = async () => ({ status: 200 });
  const listener = await listen(
    [
      route("/healthz", fine),
      route("/rejects", async () => Promise.reject(new Error("rejects"))),
      route("/throws", () => {
        throw new Error("throws");
      }),
      route("/odd-header", async () => ({ status: 200, headers: { "x-odd": "a\nb" } })),
      route("/odd-status", async () => ({ status: 7 })),
      route("/no-admission", fine, {
        admit: () => {
          throw new Error("no admission");
        },
      }),
    ],
    { host: "127.0.0.1", port: 0, onFault: (error) => heard.push(error) },
  );
  const paths = ["/rejects", "/throws", "/odd-header", "/odd-status", "/no-admission"];
  for (const path of paths) {
    expect((await ask(listener.port, path, { ...patience, quietMs: 5_000 })).statuses).toEqual([500]);
    await stands(listener.port);
  }
  expect(heard).toHaveLength(paths.length);
  await listener.close();
});

test("bodies that never end fill no memory: the largest is let go, and a small one passes", async () => {
  const echo: Route = {
    ...{ method: "POST", path: "/in", limit: 4_000 },
    answer: async ({ body }) => ({ status: 202, body: String(body.length) }),
  };
  const listener = await listen([echo], { host: "127.0.0.1", port: 0, mostBytes: 10_000 });
  const head = "POST /in HTTP/1.1\r\nhost: a\r\ncontent-length: 4000\r\n\r\n";
  const held = Array.from({ length: 8 }, () => connect(listener.port, "127.0.0.1"));
  const answers = held.map(
    (socket) =>
      new Promise<string>((told) => socket.once("data", (data) => told(data.toString("latin1").slice(0, 12)))),
  );
  for (const socket of held) socket.write(head + "x".repeat(3_000));
  // Three of them are as much as may be held.
  let refused = 0;
  for (const answer of answers) void answer.then((text) => (refused += text === "HTTP/1.1 503" ? 1 : 0));
  await expect.poll(() => refused).toBe(5);
  const small = await fetch(`http://127.0.0.1:${listener.port}/in`, { method: "POST", body: "x".repeat(500) });
  expect([small.status, await small.text()]).toEqual([202, "500"]);
  for (const socket of held) socket.destroy();
  // What is gone is held no longer.
  const full = () => fetch(`http://127.0.0.1:${listener.port}/in`, { method: "POST", body: "x".repeat(4_000) });
  await expect.poll(async () => (await full()).status).toBe(202);
  await listener.close();
});
