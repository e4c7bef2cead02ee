import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { publishedCharts } from "../../../src/adapters/cli-tools/published-charts.ts";
import { helm } from "../../manifests/charts/real-helm.ts";

const scratch = mkdtempSync(join(tmpdir(), "rectify-test-charts-"));
const requests: string[] = [];
let server: Server;
let origin = "";
let archive: Buffer;

const digestOf = (bytes: Uint8Array | string) => `sha256:${createHash("sha256").update(bytes).digest("hex")}`;

/** A chart repository and an OCI registry, as small as Helm lets them be. */
beforeAll(async () => {
  if (helm === undefined) return;
  const chart = join(scratch, "shop");
  mkdirSync(join(chart, "templates"), { recursive: true });
  writeFileSync(join(chart, "Chart.yaml"), "apiVersion: v2\nname: shop\nversion: 1.2.3\n");
  writeFileSync(join(chart, "values.yaml"), "replicas: 2\n");
  writeFileSync(join(chart, "templates", "web.yaml"), "kind: ConfigMap\napiVersion: v1\nmetadata: {name: web}\n");
  spawnSync(helm, ["package", chart, "--destination", scratch]);
  archive = readFileSync(join(scratch, "shop-1.2.3.tgz"));
  const config = JSON.stringify({ name: "shop", version: "1.2.3", apiVersion: "v2" });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: "application/vnd.oci.image.manifest.v1+json",
    config: { mediaType: "application/vnd.cncf.helm.config.v1+json", digest: digestOf(config), size: config.length },
    layers: [
      {
        mediaType: "application/vnd.cncf.helm.chart.content.v1.tar+gzip",
        digest: digestOf(archive),
        size: archive.length,
      },
    ],
  });
  const blobs: Record<string, Buffer | string> = { [digestOf(config)]: config, [digestOf(archive)]: archive };
  server = createServer((request, response) => {
    const path = request.url ?? "";
    requests.push(path);
    const blob = blobs[path.split("/").at(-1) ?? ""];
    const send = (type: string, body: Buffer | string) => {
      response.writeHead(200, {
        "content-type": type,
        "content-length": Buffer.byteLength(body),
        ...(path.includes("/manifests/") ? { "docker-content-digest": digestOf(manifest) } : {}),
      });
      response.end(request.method === "HEAD" ? undefined : body);
    };
    if (path === "/charts/index.yaml")
      return send(
        "text/yaml",
        `apiVersion: v1\nentries:\n  shop:\n    - {apiVersion: v2, name: shop, version: 1.2.3, digest: "${digestOf(archive).slice(7)}", urls: ["shop-1.2.3.tgz"]}\n`,
      );
    if (path === "/charts/shop-1.2.3.tgz") return send("application/gzip", archive);
    if (path === "/v2/" || path === "/v2") return send("application/json", "{}");
    if (/^\/v2\/team\/shop\/manifests\//.test(path))
      return send("application/vnd.oci.image.manifest.v1+json", manifest);
    if (blob !== undefined) return send("application/octet-stream", blob);
    response.writeHead(404).end();
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  origin = `127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  server?.close();
  rmSync(scratch, { recursive: true });
});

describe.skipIf(helm === undefined)("published charts, with the real Helm", () => {
  const charts = (cache: string, more = {}) =>
    publishedCharts({ helm: helm ?? "", cache: join(scratch, cache), plainHttp: true, hosts: [origin], ...more });

  test.each([
    ["a chart repository", () => ({ url: `http://${origin}/charts`, name: "shop", version: "1.2.3" })],
    ["an OCI registry", () => ({ url: `oci://${origin}/team/shop`, name: "shop", version: "1.2.3" })],
  ])("%s gives the exact version, once", async (name, reference) => {
    const cache = name.replaceAll(" ", "-");
    const found = await charts(cache)(reference());
    if (!found.ok) throw new Error(found.because);
    expect([...found.files.keys()].sort()).toEqual(["Chart.yaml", "templates/web.yaml", "values.yaml"]);
    expect(readdirSync(join(scratch, cache, "archives"))).toEqual([digestOf(archive).slice(7)]);
    const before = requests.length;
    expect((await charts(cache)(reference())).ok).toBe(true);
    expect(requests.length).toBe(before);
  });

  test("an archive that was changed in the cache is fetched again", async () => {
    const reference = { url: `http://${origin}/charts`, name: "shop", version: "1.2.3" };
    await charts("changed")(reference);
    writeFileSync(join(scratch, "changed", "archives", digestOf(archive).slice(7)), "something else");
    const before = requests.length;
    expect((await charts("changed")(reference)).ok).toBe(true);
    expect(requests.length).toBeGreaterThan(before);
  });

  test("a host that nobody allowed is never asked", async () => {
    const before = requests.length;
    const found = await charts("hosts", { hosts: ["charts.example"] })({
      url: `http://${origin}/charts`,
      name: "shop",
      version: "1.2.3",
    });
    expect(found).toMatchObject({ ok: false, because: expect.stringContaining("CHART_HOSTS") as unknown });
    expect(requests.length).toBe(before);
  });

  test("what is not there, too big or too slow is a reason, without the password", async () => {
    const reference = { url: `http://${origin}/charts`, name: "shop", version: "9.9.9" };
    const credentials = { username: "bot", password: "s3cret-word" };
    const absent = await charts("absent", { credentials })(reference);
    expect(absent).toMatchObject({ ok: false, because: expect.stringContaining("shop 9.9.9") as unknown });
    expect(JSON.stringify(absent)).not.toContain("s3cret-word");
    const big = await charts("big", { maxBytes: 10 })({ ...reference, version: "1.2.3" });
    expect(big).toMatchObject({ ok: false, because: expect.stringContaining("too big") as unknown });
  });
});
