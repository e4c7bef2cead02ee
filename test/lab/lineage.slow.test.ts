import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { labPrinter } from "../../src/lab/printer.ts";
import { scenarioOf } from "../../src/lab/scenarios/catalogue.ts";
import { until } from "../../src/lab/start.ts";
import { openWorld } from "../../src/lab/world.ts";
import { startRectify } from "../../src/main.ts";
// @ts-expect-error: the configuration is JavaScript, and ESLint reads it as it is.
import * as config from "../../eslint.config.js";
import { freshDatabase } from "../postgres.ts";

const { rooms } = config as { rooms: Readonly<Record<string, readonly string[]>> };

const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A collector of traces that keeps what it is sent. */
async function collector(): Promise<{ readonly url: string; readonly bodies: string[] }> {
  const bodies: string[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      bodies.push(Buffer.concat(parts).toString("utf8"));
      response.writeHead(200, { "content-type": "application/json" }).end("{}");
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  closing.push(() => server.close());
  const address = server.address();
  return { bodies, url: `http://127.0.0.1:${typeof address === "object" && address ? address.port : 0}` };
}

test("one incident is found by its Incident-UID wherever it left a trace", async () => {
  const scenario = scenarioOf("scale");
  if (!scenario) throw new Error("the scenario is gone");
  const directory = mkdtempSync(join(tmpdir(), "rectify-lineage-"));
  closing.push(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5 }));
  const world = await openWorld(directory, scenario);
  closing.push(() => world.close());
  const traces = await collector();
  const printed: string[] = [];
  const printer = labPrinter((line) => printed.push(line), false);
  const settings = { ...world.settings, databaseUrl: await freshDatabase(), otlpEndpoint: traces.url };
  const rectify = await startRectify(settings, printer);
  closing.push(() => rectify.close());
  await world.join(rectify);
  await until("a quiet shop", () => world.cluster.firing().length === 0 && world.cluster.isSynced(), 120_000);
  await scenario.run({ ...world, settings, rectify, say: printer.say });
  const { uid, traceId } = (await until("an incident", async () => (await rectify.store.incidents(1))[0])).incident;
  await until("its end", async () => (await rectify.store.incident(uid))?.ending !== undefined, 240_000);

  // The line goes through its rooms in the order of the walls: no import tells which of two is called first.
  const line = (rooms.flow ?? []).slice(0, (rooms.flow ?? []).indexOf("workflows"));
  const names = line.map((room) => room.replace(/\.ts$/, ""));
  const steps = async () => (await rectify.store.stepCosts(uid)).map(({ step }) => step);
  await until("what its last step cost", async () => (await steps()).includes("learn"), 60_000);
  expect((await steps()).filter((step) => names.includes(step))).toEqual(names);

  const pull = await world.forge.pull(1);
  const at = `http://127.0.0.1:${rectify.pagesPort}`;
  const read = async (path: string) => (await fetch(at + path)).text();
  const log = execFileSync("git", [
    "-C",
    world.forge.directory,
    "log",
    "main",
    "--format=%(trailers:key=Incident-UID)",
  ]);
  const files = await world.forge.files("main");
  const [exchange] = await rectify.store.exchangesOf(uid);
  const found = {
    "the commit's trailer": log.toString().includes(`Incident-UID: ${uid}`),
    "the pull request": pull.body?.includes(uid),
    "its comments": world.forge.comments(1).some(({ body }) => body?.includes(uid)),
    "a file of the repository": Object.values(files).some((text) => text.includes(`Incident-UID: \`${uid}\``)),
    "the prompt": exchange?.prompt.includes(`Incident-UID: ${uid}`),
    "the log": printer.told.some(({ incident }) => incident === uid),
    "the audit rows": (await rectify.store.auditOf(uid)).some(({ action }) => action !== ""),
    "the list": (await read("/")).includes(`/incidents/${uid}`),
    "its page": (await read(`/incidents/${uid}`)).includes(`<code>${uid}</code>`),
    "the page of the audit": (await read(`/audit?incident=${uid}`)).includes(uid),
  };
  expect(Object.entries(found).filter(([, isThere]) => isThere !== true)).toEqual([]);
  await until("its trace", () => traces.bodies.some((body) => body.includes(traceId)), 60_000);
}, 480_000);
