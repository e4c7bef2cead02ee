import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { gitNetwork, proxiedFetch } from "../../../src/adapters/http/proxy.ts";
import { openMirror } from "../../../src/adapters/git-mirror.ts";
import { proxyOf } from "../../../src/domain/text/proxies.ts";
import { withoutSecrets } from "../../../src/settings/redaction.ts";
import { parseSettings } from "../../../src/settings/settings.ts";
import { key } from "../../lab/forge-shop.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function listening(server: Pick<Server, "listen" | "address" | "close" | "closeAllConnections">) {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

/** A proxy that answers http itself and tunnels nothing; what it was asked for is on record. */
async function aProxy() {
  const asked: string[] = [];
  const record = ({ method, url, headers }: IncomingMessage) =>
    void asked.push(`${method} ${url} ${headers["proxy-authorization"] ?? "nobody"}`);
  const server = createServer((request, response) => {
    record(request);
    response.end(JSON.stringify({ for: request.headers.host }));
  });
  server.on("connect", (request, socket) => {
    record(request);
    socket.end("HTTP/1.1 403 Forbidden\r\n\r\n");
  });
  return { host: `127.0.0.1:${await listening(server)}`, asked };
}

const basic = `Basic ${Buffer.from("rectify:word").toString("base64")}`;

test("an http address is asked by the proxy, which hears who we are", async () => {
  const { host, asked } = await aProxy();
  const proxied = proxiedFetch({ http: `http://rectify:word@${host}`, https: undefined, direct: [] });
  const headers = new Headers({ "X-Scope-OrgID": "a" });
  const signal = AbortSignal.timeout(30_000);
  const answer = await proxied("http://prometheus.example/api/v1/query?query=up", {
    headers,
    signal,
    redirect: "error",
  });
  expect(await answer.json()).toEqual({ for: "prometheus.example" });
  expect(asked).toEqual([`GET http://prometheus.example/api/v1/query?query=up ${basic}`]);
});

test("an https address is asked through a tunnel", async () => {
  const { host, asked } = await aProxy();
  const proxied = proxiedFetch({ http: undefined, https: `http://${host}`, direct: [] });
  await expect(proxied(new URL("https://api.github.example/meta"))).rejects.toThrow();
  expect(asked).toEqual(["CONNECT api.github.example:443 nobody"]);
});

test("this machine and what NO_PROXY names are asked directly", async () => {
  const { host, asked } = await aProxy();
  const proxied = proxiedFetch({ http: "http://127.0.0.1:1", https: undefined, direct: [] });
  expect(await (await proxied(`http://${host}/own`)).json()).toEqual({ for: host });
  expect(asked).toEqual(["GET /own nobody"]);
});

test.each([
  ["https://api.github.com/x", [], "https"],
  ["http://prometheus.example", [], "http"],
  ["http://127.0.0.1:9090", [], undefined],
  ["http://localhost:9090", [], undefined],
  ["http://[::1]:9090", [], undefined],
  ["https://a.corp.example", ["corp.example"], undefined],
  ["https://a.corp.example", [".corp.example"], undefined],
  ["https://a.corp.example", ["*.Corp.Example"], undefined],
  ["https://acorp.example", ["corp.example"], "https"],
  ["https://a.example:8443", ["a.example:8443"], undefined],
  ["https://a.example", ["a.example:8443"], "https"],
  ["http://loki.monitoring.svc:3100", [".svc", ".svc.cluster.local"], undefined],
  ["https://anything.example", ["*"], undefined],
  ["https://[fd00::1]", ["fd00::1"], undefined],
  ["no address", [], undefined],
] as const)("%s with NO_PROXY %j", (address, direct, way) => {
  expect(proxyOf(address, { https: "https", http: "http", direct })).toBe(way);
});

test("git goes by the same proxy", async () => {
  const { host, asked } = await aProxy();
  const directory = mkdtempSync(join(tmpdir(), "rectify-proxy-"));
  closing.push(() => rmSync(directory, { recursive: true, force: true }));
  const proxies = { https: `http://${host}`, http: undefined, direct: [] };
  const mirror = openMirror({
    ...{ directory: join(directory, "mirror"), url: "https://git.example/acme/shop.git" },
    ...{ authorization: async () => "Basic x", network: await gitNetwork({ proxies }, directory) },
  });
  await expect(mirror.head()).rejects.toThrow();
  expect(asked[0]).toBe("CONNECT git.example:443 nobody");
});

const place = "test/adapters/kubernetes/tls";

test("git trusts a private authority beside the public ones", async () => {
  const pem = { cert: readFileSync(`${place}/cert.pem`), key: readFileSync(`${place}/key.pem`) };
  const seen: string[] = [];
  const server = createTlsServer(pem, (request, response) => {
    seen.push(request.url ?? "");
    response.writeHead(404).end();
  });
  const port = await listening(server);
  const directory = mkdtempSync(join(tmpdir(), "rectify-proxy-"));
  closing.push(() => rmSync(directory, { recursive: true, force: true }));
  const headWith = async (name: string, extraCaPath: string | undefined) => {
    const network = await gitNetwork({ extraCaPath }, directory);
    const url = `https://127.0.0.1:${port}/acme/shop.git`;
    await openMirror({ directory: join(directory, name), url, authorization: async () => "Basic x", network })
      .head()
      .catch(() => undefined);
  };
  await headWith("without", undefined);
  expect(seen).toEqual([]);
  await headWith("with", `${process.cwd()}/${place}/cert.pem`);
  expect(seen[0]).toContain("/acme/shop.git/info/refs");
  const bundle = readFileSync(join(directory, "authorities.pem"), "utf8");
  expect(bundle.match(/BEGIN CERTIFICATE/g)?.length).toBeGreaterThan(50);
  await expect(gitNetwork({ extraCaPath: "/nowhere.pem" }, directory)).rejects.toThrow(/NODE_EXTRA_CA_CERTS/);
});

const required = {
  ...{ RECTIFY_REPOSITORY: "acme/shop", APP_ID: "7", PRIVATE_KEY: key, WEBHOOK_SECRET: "w".repeat(32) },
  ...{ ALERTS_TOKEN: "a".repeat(32), PROMETHEUS_URL: "http://p.example", ALERTMANAGER_URL: "http://a.example" },
};

test("the settings take the proxies of the environment, in lower case first, and hide their passwords", () => {
  expect(parseSettings(required)).toMatchObject({ ok: true, value: { proxies: undefined } });
  const read = parseSettings({
    ...{ ...required, HTTPS_PROXY: "http://other:1", https_proxy: "http://rectify:secret-word@proxy:3128" },
    ...{ NO_PROXY: ".svc, 10.0.0.1", KUBERNETES_URL: "https://k8s.example" },
  });
  if (!read.ok) throw new Error(read.problems.join());
  const { proxies, kubernetes } = read.value;
  expect(proxies).toEqual({
    ...{ https: "http://rectify:secret-word@proxy:3128", http: undefined, direct: [".svc", "10.0.0.1"] },
  });
  expect(kubernetes.proxyUrl).toBe("http://rectify:secret-word@proxy:3128");
  expect(withoutSecrets(read.value, 1_000)("cannot reach secret-word")).toBe("cannot reach «masked»");
  expect(parseSettings({ ...required, HTTPS_PROXY: "socks5://proxy" })).toMatchObject({
    ...{ ok: false, problems: ["HTTPS_PROXY: must be the http or https address of a proxy"] },
  });
});
