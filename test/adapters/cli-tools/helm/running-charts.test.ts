import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { runningCharts, type RunningOptions } from "../../../../src/adapters/cli-tools/helm/running-charts.ts";
import type { ChartArtifact } from "../../../../src/ports/kubernetes.ts";
import { Unavailable } from "../../../../src/ports/errors.ts";
import { archiveOf, digestOf, shopChart } from "./chart-archives.ts";

const release = { namespace: "shop", name: "web" };
const path = "/helmchart/flux-system/shop-web/shop-1.2.3.tgz";
const url = `http://source-controller.flux-system.svc.cluster.local.${path}`;
const good = archiveOf(shopChart());

let scratch = "";
let asked: string[] = [];
let answer: (response: ServerResponse) => void = () => undefined;
const server = createServer((request, response) => {
  asked.push(request.url ?? "");
  answer(response);
});

beforeEach(async () => {
  scratch = mkdtempSync(join(tmpdir(), "rectify-test-"));
  asked = [];
  answer = (response) => response.end(good);
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
});
afterEach(async () => {
  rmSync(scratch, { recursive: true, force: true });
  server.closeAllConnections();
  await new Promise((closed) => server.close(closed));
});

/** The stand-in for the source-controller on loopback, and what the cluster says of it. */
function charts(artifact: Partial<ChartArtifact> | undefined, more: Partial<RunningOptions> = {}) {
  const whole = artifact && { url, digest: digestOf(good), revision: "1.2.3", ...artifact };
  return runningCharts({
    cluster: { artifactOf: async () => whole, sourcePort: async () => 80 },
    controller: { namespace: "flux-system", name: "source-controller" },
    cache: join(scratch, "cache"),
    reachedAt: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    ...more,
  });
}

test("the archive that Flux holds is read from its controller, checked, and kept by its digest", async () => {
  const found = await charts({ revision: `1.2.3@${digestOf(new Uint8Array())}` })(release);
  expect(found).toMatchObject({ ok: true, version: "1.2.3", digest: digestOf(new Uint8Array()) });
  expect(found.ok && [...found.files.keys()]).toEqual(["Chart.yaml", "values.yaml", "templates/web.yaml"]);
  expect(asked).toEqual([path]);
  expect(readdirSync(join(scratch, "cache", "archives"))).toEqual([digestOf(good).slice(7)]);
  // Another process, and a controller that is gone.
  answer = (response) => response.writeHead(500).end();
  expect(await charts({})(release)).toMatchObject({ ok: true });
  expect(asked).toHaveLength(1);
});

test.each([
  ["http://charts.example.com/shop-1.2.3.tgz", "said to stand on charts.example.com"],
  ["http://source-controller.team-a.svc.cluster.local/shop.tgz", "source-controller.team-a.svc.cluster.local"],
  ["http://source-controller.flux-system.svc.evil.example/shop.tgz", "not the Service source-controller.flux-system"],
  ["http://source-controller.flux-system.svc:8080/shop.tgz", "on the port 8080"],
  ["http://bot:word@source-controller.flux-system.svc/shop.tgz", "none of the source-controller"],
  ["http://source-controller.flux-system.svc/shop.tgz?next=x", "none of the source-controller"],
  ["file:///etc/passwd", "none of the source-controller"],
  ["shop.tgz", "none of the source-controller"],
])("%s is asked of nobody", async (strange, why) => {
  const found = await charts({ url: strange })(release);
  expect(found).toEqual({ ok: false, because: expect.stringContaining(why) as unknown });
  expect(JSON.stringify(found)).not.toContain("word");
  expect(asked).toEqual([]);
});

test("a Service that is none of the source-controller is not asked, and the setting is named", async () => {
  const cluster = { artifactOf: async () => ({ url, digest: digestOf(good), revision: "1.2.3" }) };
  const found = await charts({}, { cluster: { ...cluster, sourcePort: async () => undefined } })(release);
  expect(found).toMatchObject({ ok: false, because: expect.stringContaining("set FLUX_SOURCE_CONTROLLER") as unknown });
  expect(asked).toEqual([]);
});

test("a redirect, another content, too much, nothing in time: each is a reason, and nothing is kept", async () => {
  const other = archiveOf(shopChart("6.6.6"));
  const answers: readonly (readonly [string, typeof answer])[] = [
    ["leads to another address", (response) => response.writeHead(302, { location: `${path}2` }).end()],
    ["the digest of its archive is not sha256:", (response) => response.end(other)],
    ["it is too big", (response) => response.end(Buffer.alloc(10_000))],
    ["says HTTP 404", (response) => response.writeHead(404).end()],
    ["it took too long", (response) => response.write("a")],
  ];
  for (const [why, given] of answers) {
    answer = given;
    const found = await charts({}, { maxBytes: 5_000, timeLimitMs: why.includes("long") ? 50 : 5_000 })(release);
    expect(found, why).toEqual({ ok: false, because: expect.stringContaining(why) as unknown });
  }
  expect(asked.every((one) => one === path)).toBe(true);
  expect(() => readdirSync(join(scratch, "cache"))).toThrow();
});

test.each([
  ["leads out of the chart", { path: "shop/../../../etc/cron.d/x", text: "x" }],
  ["leads out of the chart", { path: "/etc/cron.d/x", text: "x" }],
  ["is a link", { path: "shop/templates/out.yaml", type: "2" }],
  ["is a link", { path: "shop/values.yaml", type: "1" }],
  ["neither file nor directory", { path: "shop/device", type: "3" }],
  ["twice", { path: "other/values.yaml", text: "web: {size: 9}\n" }],
])("an archive in which something %s is refused whole", async (why, odd) => {
  const archive = archiveOf([...shopChart(), odd]);
  answer = (response) => response.end(archive);
  const found = await charts({ digest: digestOf(archive) })(release);
  expect(found).toEqual({ ok: false, because: expect.stringContaining(why) as unknown });
});

test("an archive that unpacks to more than a chart may is refused", async () => {
  const archive = archiveOf([...shopChart(), { path: "shop/zeros", text: "\0".repeat(51_000_000) }]);
  answer = (response) => response.end(archive);
  expect(archive.byteLength).toBeLessThan(200_000);
  expect(await charts({ digest: digestOf(archive) })(release)).toMatchObject({
    ok: false,
    because: expect.stringContaining("unpacks to more than") as unknown,
  });
});

test("what Flux does not name, and a cluster that gives no answer, are reasons", async () => {
  expect(await charts(undefined)(release)).toEqual({ ok: false, because: "Flux names no archive of it" });
  let questions = 0;
  const artifactOf = () => {
    questions += 1;
    return Promise.reject(new Unavailable("Kubernetes: no answer"));
  };
  const ask = charts({}, { cluster: { artifactOf, sourcePort: async () => 80 } });
  expect(await ask(release)).toEqual({ ok: false, because: "Kubernetes: no answer" });
  expect(await ask({ ...release, name: "api" })).toEqual({ ok: false, because: "Kubernetes: no answer" });
  expect(questions).toBe(1);
});

test("a controller that gives no answer is not asked again for each release, and later it is", async () => {
  answer = (response) => response.destroy();
  const cluster = {
    artifactOf: async ({ name }: { name: string }) => ({
      url: `${url}-${name}`,
      digest: digestOf(good),
      revision: "1.2.3",
    }),
    sourcePort: async () => 80,
  };
  const ask = charts({}, { cluster });
  expect(await ask(release)).toMatchObject({ ok: false });
  expect(await ask({ ...release, name: "api" })).toMatchObject({ ok: false });
  expect(asked).toHaveLength(1);
  const patient = charts({}, { cluster, outageMs: 1 });
  expect(await patient(release)).toMatchObject({ ok: false });
  answer = (response) => response.end(good);
  await expect.poll(() => patient(release), { timeout: 20_000 }).toMatchObject({ ok: true });
});

test("what was refused is not asked for again at once", async () => {
  answer = (response) => response.writeHead(503).end();
  const ask = charts({});
  expect(await ask(release)).toMatchObject({ ok: false });
  expect(await ask(release)).toMatchObject({ ok: false });
  expect(asked).toHaveLength(1);
});
