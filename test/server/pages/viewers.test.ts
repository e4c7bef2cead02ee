import { request } from "node:http";
import { expect, onTestFinished, test } from "vitest";
import { listen } from "../../../src/adapters/http/listener.ts";
import { forViewers } from "../../../src/server/pages/viewers.ts";
import type { PagesSettings } from "../../../src/settings/pages.ts";

type Seen = Exclude<PagesSettings, { kind: "github" }>;
const secret = "a secret of the proxy, long enough";
const proxy: Seen = { kind: "proxy", userHeader: "x-user", secret };
const own: Seen = { kind: "loopback", port: 0 };

/** The status that a request over loopback gets, which is where a mesh's sidecar connects from, too. */
async function statusOf(pages: Seen, headers: Record<string, string | string[]>): Promise<number> {
  const route = { method: "GET", path: "/", answer: async () => ({ status: 200, body: "a prompt" }) } as const;
  const listener = await listen(forViewers([route], pages), { host: "127.0.0.1", port: 0 });
  onTestFinished(() => listener.close());
  return new Promise((tell, failed) => {
    const asking = request({ port: listener.port, host: "127.0.0.1", path: "/", headers }, (answer) => {
      answer.resume();
      tell(answer.statusCode ?? 0);
    });
    asking.on("error", failed).end();
  });
}

test.each([
  ["the secret and a user", { "x-rectify-proxy-secret": secret, "x-user": "ada" }, 200],
  ["nothing", {}, 401],
  ["a user without the secret", { "x-user": "ada" }, 401],
  ["the secret without a user", { "x-rectify-proxy-secret": secret }, 401],
  ["the secret and an empty user", { "x-rectify-proxy-secret": secret, "x-user": " " }, 401],
  ["another secret of the same length", { "x-rectify-proxy-secret": "b".repeat(secret.length), "x-user": "ada" }, 401],
  ["a beginning of the secret", { "x-rectify-proxy-secret": secret.slice(0, 9), "x-user": "ada" }, 401],
  ["a guess beside the secret", { "x-rectify-proxy-secret": ["guess", secret], "x-user": "ada" }, 401],
  ["an address that claims to be local", { "x-forwarded-for": "127.0.0.1", host: "localhost" }, 401],
] as const)("behind a proxy: %s → %#", async (_what, headers, status) => {
  expect(await statusOf(proxy, headers as Record<string, string | string[]>)).toBe(status);
});

test("a header of JavaScript's own is nobody's name", async () => {
  const odd: PagesSettings = { ...proxy, userHeader: "constructor" };
  expect(await statusOf(odd, { "x-rectify-proxy-secret": secret })).toBe(401);
});

test.each([
  ["localhost:9096", 200],
  ["127.0.0.1", 200],
  ["[::1]:9096", 200],
  ["evil.example", 403],
  ["localhost.evil.example:9096", 403],
])("on loopback the host %s is answered with %i", async (host, status) => {
  expect(await statusOf(own, { host })).toBe(status);
});
