import { readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { kubernetes } from "../../../src/adapters/kubernetes/kubernetes.ts";
import { Unavailable } from "../../../src/ports/errors.ts";
import { parseSettings } from "../../../src/settings/settings.ts";
import { expectFailure } from "../monitoring/sources.ts";
import { scratchDirectory } from "../../scratch.ts";

// An API server with a certificate that nobody signed but itself; valid for a hundred years, used by nothing else.
const caPath = join(import.meta.dirname, "tls/cert.pem");
const seen: (string | undefined)[] = [];
const server = createServer(
  { cert: readFileSync(caPath), key: readFileSync(join(import.meta.dirname, "tls/key.pem")) },
  ({ headers }, answer) => {
    seen.push(headers.authorization);
    answer
      .writeHead(headers.authorization === "Bearer ended" ? 401 : 404, { "content-type": "application/json" })
      .end("{}");
  },
);
let url: string;
beforeAll(async () => {
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const web = { kind: "Deployment", namespace: "shop", name: "web" };

test("an API server that only KUBERNETES_CA_PATH vouches for is trusted through it alone", async () => {
  const known = { url, token: "t", cluster: "lab" };
  await expectFailure(kubernetes(known).workload(web), Unavailable, /self-signed certificate/);
  expect(await kubernetes({ ...known, caPath }).workload(web)).toBeUndefined();
});

test("the token is read from KUBERNETES_TOKEN_PATH", async () => {
  const tokenPath = join(scratchDirectory(), "token");
  writeFileSync(tokenPath, "from-the-file");
  await kubernetes({ url, tokenPath, caPath, cluster: "lab" }).workload(web);
  expect(seen.at(-1)).toBe("Bearer from-the-file");
});

test("a token that has ended is waited for, and its successor is used from the next call on", async () => {
  const tokenPath = join(scratchDirectory(), "token");
  const cluster = kubernetes({ url, tokenPath, caPath, cluster: "lab" });
  await expectFailure(cluster.workload(web), Unavailable, /ENOENT/);
  writeFileSync(tokenPath, "ended\n");
  await expectFailure(cluster.workload(web), Unavailable, /HTTP 401, the token is not accepted/);
  writeFileSync(tokenPath, "fresh\n");
  expect(await cluster.workload(web)).toBeUndefined();
  expect(seen.at(-1)).toBe("Bearer fresh");
});

test("both files must be named absolutely", () => {
  const told = parseSettings({ KUBERNETES_CA_PATH: "ca.pem", KUBERNETES_TOKEN_PATH: "token" });
  expect(told.ok ? [] : told.problems).toEqual(
    expect.arrayContaining([
      "KUBERNETES_TOKEN_PATH: must be an absolute path",
      "KUBERNETES_CA_PATH: must be an absolute path",
    ]),
  );
});
