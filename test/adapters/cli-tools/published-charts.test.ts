import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type PublishedOptions, publishedCharts } from "../../../src/adapters/cli-tools/published-charts.ts";
import type { ChartReference } from "../../../src/domain/kubernetes/rendered.ts";

const scratch = mkdtempSync(join(tmpdir(), "rectify-test-charts-"));
const canary = "hunter2-canary-7781";
const login = `Basic ${Buffer.from(`bot:${canary}`).toString("base64")}`;
const digestOf = (bytes: Uint8Array | string) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** A packed chart, as `helm package` makes it. */
function packed(files: Readonly<Record<string, string>>): Buffer {
  const blocks = Object.entries(files).flatMap(([name, text]) => {
    const head = Buffer.alloc(512);
    head.write(`shop/${name}`, 0);
    head.write(Buffer.byteLength(text).toString(8).padStart(11, "0"), 124);
    head.write("0", 156);
    const body = Buffer.alloc(Math.ceil(Buffer.byteLength(text) / 512) * 512);
    body.write(text);
    return [head, body];
  });
  return gzipSync(Buffer.concat([...blocks, Buffer.alloc(1024)]));
}

const archive = packed({
  "Chart.yaml": "apiVersion: v2\nname: shop\nversion: 1.2.3\n",
  "values.yaml": "replicas: 2\n",
  "templates/web.yaml": "kind: ConfigMap\napiVersion: v1\nmetadata: {name: web}\n",
});
const manifest = JSON.stringify({
  schemaVersion: 2,
  layers: [{ mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip", digest: digestOf(archive), size: 1 }],
});

interface Site {
  readonly host: string;
  readonly seen: { readonly path: string; readonly authorization: string | undefined }[];
  readonly server: Server;
}

async function site(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<Site> {
  const seen: Site["seen"] = [];
  const server = createServer((request, response) => {
    seen.push({ path: request.url ?? "", authorization: request.headers.authorization });
    answer(request, response);
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, seen, server };
}

let charts: Site;
let elsewhere: Site;

const index = (entries: string) => `apiVersion: v1\nentries:\n  shop:\n${entries}`;
const hex = digestOf(archive).slice(7);
const indexes: Record<string, () => string> = {
  "/charts/": () => index(`    - {version: 1.2.3, digest: "${hex}", urls: [shop-1.2.3.tgz]}\n`),
  "/forged/": () => index(`    - {version: 1.2.3, digest: "${"0".repeat(64)}", urls: [/charts/shop-1.2.3.tgz]}\n`),
  "/redirected/": () => index(`    - {version: 1.2.3, urls: [/to-elsewhere]}\n`),
  "/linked/": () => index(`    - {version: 1.2.3, urls: ["http://${elsewhere.host}/shop.tgz"]}\n`),
  "/file/": () => index(`    - {version: 1.2.3, urls: ["file:///etc/passwd"]}\n`),
  "/broken/": () => "entries: [",
};

beforeAll(async () => {
  elsewhere = await site((_, response) => void response.end(archive));
  charts = await site((request, response) => {
    const path = request.url ?? "";
    const directory = path.replace(/index\.yaml$/, "");
    if (path.endsWith("index.yaml") && indexes[directory]) return response.end(indexes[directory]());
    if (path === "/charts/shop-1.2.3.tgz") return response.end(archive);
    if (path === "/to-elsewhere") return response.writeHead(302, { location: `http://${elsewhere.host}/x` }).end();
    if (path === "/loop/index.yaml") return response.writeHead(302, { location: "/loop/index.yaml" }).end();
    if (path.startsWith("/token?")) return response.end(JSON.stringify({ token: "t-1" }));
    if (path.startsWith("/v2/private/") && request.headers.authorization !== "Bearer t-1")
      return response
        .writeHead(401, { "www-authenticate": `Bearer realm="http://${charts.host}/token",service="s",scope="pull"` })
        .end();
    if (/^\/v2\/(?:team|private|moved)\/shop\/manifests\/1\.2\.3/.test(path)) return response.end(manifest);
    if (/^\/v2\/moved\/shop\/blobs\//.test(path))
      return response.writeHead(307, { location: `http://${elsewhere.host}/blob` }).end();
    if (path.endsWith(digestOf(archive))) return response.end(archive);
    return response.writeHead(404).end();
  });
});
afterAll(() => {
  charts.server.close();
  elsewhere.server.close();
  rmSync(scratch, { recursive: true });
});

const fetcher = (cache: string, more: Partial<PublishedOptions> = {}) =>
  publishedCharts({ cache: join(scratch, cache), plainHttp: true, hosts: [charts.host], ...more });
const chart = (url: string, more: Partial<ChartReference> = {}): ChartReference => ({
  ...{ url: url.replace("HOST", charts.host), name: "shop", version: "1.2.3" },
  ...more,
});

test.each([
  ["a chart repository", "http://HOST/charts"],
  ["an OCI registry", "oci://HOST/team/shop"],
])("%s gives the exact version, once", async (name, url) => {
  const cache = name.replaceAll(" ", "-");
  const found = await fetcher(cache)(chart(url));
  if (!found.ok) throw new Error(found.because);
  expect([...found.files.keys()].sort()).toEqual(["Chart.yaml", "templates/web.yaml", "values.yaml"]);
  expect(readdirSync(join(scratch, cache, "archives"))).toEqual([hex]);
  const before = charts.seen.length;
  expect((await fetcher(cache)(chart(url))).ok).toBe(true);
  expect(charts.seen.length).toBe(before);
});

test("an archive that was changed in the cache is fetched again", async () => {
  await fetcher("changed")(chart("http://HOST/charts"));
  writeFileSync(join(scratch, "changed", "archives", hex), "something else");
  const before = charts.seen.length;
  expect((await fetcher("changed")(chart("http://HOST/charts"))).ok).toBe(true);
  expect(charts.seen.length).toBeGreaterThan(before);
});

test.each([
  ["a repository's redirect", "http://HOST/redirected"],
  ["an address in its index", "http://HOST/linked"],
  ["a registry's redirect", "oci://HOST/moved/shop"],
])("%s is followed only to a host that is allowed, without the login", async (what, url) => {
  const credentialsFile = join(scratch, "config.json");
  writeFileSync(credentialsFile, JSON.stringify({ auths: { [charts.host]: { auth: login.slice(6) } } }));
  const before = elsewhere.seen.length;
  const refused = await fetcher(`${what} no`, { credentialsFile })(chart(url));
  expect(refused).toEqual({
    ok: false,
    because: `shop 1.2.3 could not be fetched: it leads to ${elsewhere.host}, which is not among CHART_HOSTS`,
  });
  expect(elsewhere.seen.length).toBe(before);
  const hosts = [charts.host, elsewhere.host];
  expect((await fetcher(`${what} yes`, { credentialsFile, hosts })(chart(url))).ok).toBe(true);
  expect(elsewhere.seen.at(-1)?.authorization).toBeUndefined();
  expect(charts.seen.at(-1)?.authorization).toBe(login);
});

test("a registry that wants a token gets one of the service that it names", async () => {
  expect((await fetcher("token")(chart("oci://HOST/private/shop"))).ok).toBe(true);
  expect(charts.seen.map(({ path }) => path)).toContain("/token?service=s&scope=pull");
});

test("a host that nobody allowed is never asked", async () => {
  const before = charts.seen.length;
  const found = await fetcher("hosts", { hosts: ["charts.example"] })(chart("http://HOST/charts"));
  expect(found).toMatchObject({ ok: false, because: expect.stringContaining("CHART_HOSTS") as unknown });
  expect(charts.seen.length).toBe(before);
});

test.each<[string, () => ChartReference, Partial<PublishedOptions>, string]>([
  ["a version that is not there", () => chart("http://HOST/charts", { version: "9.9.9" }), {}, "no such version"],
  ["another digest than the index names", () => chart("http://HOST/forged"), {}, "its digest is not sha256:0000"],
  [
    "another digest than Git names",
    () => chart("http://HOST/charts", { digest: `sha256:${"1".repeat(64)}` }),
    {},
    "is not",
  ],
  ["an address that is none of HTTP", () => chart("http://HOST/file"), {}, "none of http or https"],
  ["an index that is no YAML", () => chart("http://HOST/broken"), {}, "no index that can be read"],
  ["an endless redirect", () => chart("http://HOST/loop"), {}, "from one address to the next"],
  ["a chart that is too big", () => chart("http://HOST/charts"), { maxBytes: 10 }, "too big"],
  ["a repository that does not exist", () => chart("oci://HOST/nobody/shop"), {}, "says HTTP 404"],
  [
    "a file of logins that is not there",
    () => chart("http://HOST/charts"),
    { credentialsFile: "/nowhere" },
    "CHART_CREDENTIALS_FILE",
  ],
])("%s is a reason", async (what, reference, more, because) => {
  const found = await fetcher(what, more)(reference());
  expect(found).toMatchObject({ ok: false, because: expect.stringContaining(because) as unknown });
});

test("a connection that is closed is tried once more, and an outage is not for ever", async () => {
  let closed = 0;
  const flaky = await site((request, response) => {
    if (closed > 0) {
      closed -= 1;
      request.socket.destroy();
    } else if (request.url === "/index.yaml") response.end(index("    - {version: 1.2.3, urls: [shop.tgz]}\n"));
    else response.end(archive);
  });
  const ask = () => asking({ name: "shop", version: "1.2.3", url: `http://${flaky.host}` });
  const asking = publishedCharts({ hosts: [flaky.host], cache: join(scratch, "flaky"), outageMs: 1 });
  try {
    closed = 2;
    expect(await ask()).toMatchObject({ ok: false, because: expect.stringContaining("no answer") as unknown });
    closed = 1;
    await expect.poll(ask).toMatchObject({ ok: true });
  } finally {
    flaky.server.close();
  }
});
