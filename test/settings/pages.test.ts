import { expect, test } from "vitest";
import { pagesPlace } from "../../src/settings/pages.ts";
import { withoutSecrets } from "../../src/settings/redaction.ts";
import { parseSettings } from "../../src/settings/settings.ts";
import { key } from "../lab/forge-shop.ts";

const secret = "s".repeat(32);
const sound = {
  ...{ RECTIFY_REPOSITORY: "acme/shop", APP_ID: "7", PRIVATE_KEY: key, WEBHOOK_SECRET: secret, ALERTS_TOKEN: secret },
  ...{ PROMETHEUS_URL: "http://prometheus", ALERTMANAGER_URL: "http://alertmanager" },
};

function pagesWith(given: Record<string, string>) {
  const read = parseSettings({ ...sound, ...given });
  return read.ok ? read.value.pages : read.problems;
}

test("without a word about authentication the pages are on a loopback port of their own", () => {
  expect(pagesWith({})).toEqual({ kind: "loopback", port: 9096 });
  expect(pagesWith({ PAGES_PORT: "0", PAGES_USER_HEADER: "", PAGES_PROXY_SECRET: "" })).toEqual({
    ...{ kind: "loopback", port: 0 },
  });
});

test("a header and a secret make them the proxy's", () => {
  const pages = pagesWith({ PAGES_USER_HEADER: "X-Forwarded-User", PAGES_PROXY_SECRET: secret });
  expect(pages).toEqual({ kind: "proxy", userHeader: "x-forwarded-user", secret });
});

test.each([
  [{ PAGES_USER_HEADER: "X-User" }, "PAGES_PROXY_SECRET: is missing: set the secret that the proxy sends"],
  [{ PAGES_PROXY_SECRET: secret }, "PAGES_USER_HEADER: is missing: set the header in which the proxy names"],
  [{ PAGES_USER_HEADER: "X-User", PAGES_PROXY_SECRET: "é".repeat(15) }, "PAGES_PROXY_SECRET: is too short: set the"],
  [{ PAGES_USER_HEADER: "X User", PAGES_PROXY_SECRET: secret }, "PAGES_USER_HEADER: must be the name of a header"],
  [{ PAGES_PORT: "http" }, "PAGES_PORT: must be a port number"],
  [{ PAGES_PORT: "9095" }, "PAGES_PORT: is the port of INTERNAL_PORT: set another one"],
  [{ PORT: "9096" }, "PAGES_PORT: is the port of PORT: set another one"],
] as const)("%j starts nothing: %s", (given, problem) => {
  expect(pagesWith(given)).toEqual([expect.stringContaining(problem)]);
});

test("the secret of the proxy is masked wherever it is told", () => {
  const own = "correct horse battery staple of the pages";
  const read = parseSettings({ ...sound, PAGES_USER_HEADER: "X-User", PAGES_PROXY_SECRET: own });
  if (!read.ok) throw new Error(read.problems.join());
  expect(withoutSecrets(read.value, 200)(`it said ${own}`)).not.toContain("horse");
});

test("the place is told with what would change it, and without the secret", () => {
  expect(pagesPlace({ kind: "loopback", port: 0 }, 4321)).toMatch(
    /http:\/\/127\.0\.0\.1:4321\/ only: set PAGES_CLIENT_ID/,
  );
  const github = {
    ...{ clientId: "Iv1.aa", clientSecret: secret },
    url: "https://rectify.example",
    permission: "write",
  };
  const place = pagesPlace({ kind: "github", port: 9096, ...github } as Parameters<typeof pagesPlace>[0]);
  expect(place).toMatch(/sign in with GitHub at https:\/\/rectify\.example and may write$/);
  expect(place).not.toContain(secret);
  expect(pagesPlace({ kind: "proxy", userHeader: "x-user", secret })).not.toContain(secret);
});

test("a sign-in with GitHub needs all of its parts, and no proxy beside it", () => {
  const problems = (given: Record<string, string>) => {
    const read = parseSettings({ ...sound, ...given });
    return read.ok ? [] : read.problems;
  };
  const whole = { PAGES_CLIENT_ID: "Iv1.aa", PAGES_CLIENT_SECRET: "shh", PAGES_URL: "https://rectify.example" };
  expect(problems(whole)).toEqual([]);
  expect(problems({ ...whole, PAGES_CLIENT_SECRET: "" })).toEqual([
    expect.stringContaining("PAGES_CLIENT_SECRET: is missing"),
  ]);
  expect(problems({ ...whole, PAGES_URL: "" })).toEqual([expect.stringContaining("PAGES_URL: is missing")]);
  const both = { ...whole, PAGES_USER_HEADER: "X-User", PAGES_PROXY_SECRET: "s".repeat(32) };
  expect(problems(both)).toEqual([expect.stringContaining("PAGES_CLIENT_ID: is one way too many")]);
});
