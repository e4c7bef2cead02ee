import { expect, test } from "vitest";
import { parseSettings } from "../../src/settings/settings.ts";

const secret = "s".repeat(32);
const environment = {
  ...{ RECTIFY_REPOSITORY: "acme/shop", APP_ID: "7", WEBHOOK_SECRET: secret, ALERTS_TOKEN: secret },
  PRIVATE_KEY: "-----BEGIN RSA PRIVATE KEY-----\nx\n-----END RSA PRIVATE KEY-----",
  ...{ PROMETHEUS_URL: "http://127.0.0.1:9090", ALERTMANAGER_URL: "http://127.0.0.1:9093" },
};
const withMirrors = (text: string) => parseSettings({ ...environment, RECTIFY_SOURCE_URLS: text });

test("further addresses of the repository are read with commas between them", () => {
  const read = withMirrors("https://git.example/mirrors/gitops, git@git.example:copies/gitops.git");
  expect(read.ok && read.value.repository).toEqual({
    ...{ owner: "acme", repo: "shop" },
    mirrors: ["https://git.example/mirrors/gitops", "git@git.example:copies/gitops.git"],
  });
  const none = parseSettings(environment);
  expect(none.ok && none.value.repository).toEqual({ owner: "acme", repo: "shop" });
});

test.each([
  ["mirrors/gitops", "must be addresses"],
  ["https://git.example", "must be addresses"],
  ["https://git.example/mirrors/gitops,gitops", "must be addresses"],
  ["https://robot:geheim@git.example/mirrors/gitops", "must not hold a user or password"],
  ["https://geheim@git.example/mirrors/gitops", "must not hold a user or password"],
  ["ssh://git:geheim@git.example/mirrors/gitops", "must not hold a user or password"],
])("the address %s is refused: it %s", (text, because) => {
  const read = withMirrors(text);
  const problems = read.ok ? [] : read.problems;
  expect(problems).toEqual([expect.stringContaining(`RECTIFY_SOURCE_URLS: ${because}`)]);
  expect(problems.join()).not.toContain("geheim");
});

const several = { ...environment, RECTIFY_REPOSITORY: "acme/shop, Acme/bank" };

test("several repositories keep their order, and each has its own further addresses", () => {
  const read = parseSettings({
    ...several,
    RECTIFY_SOURCE_URLS: "acme/Bank=https://git.example/mirrors/ledger,acme/shop=git@git.example:mirrors/shop",
  });
  const [shop, bank] = [
    { owner: "acme", repo: "shop", mirrors: ["git@git.example:mirrors/shop"] },
    { owner: "Acme", repo: "bank", mirrors: ["https://git.example/mirrors/ledger"] },
  ];
  expect(read.ok && read.value).toMatchObject({ repository: shop, repositories: [shop, bank] });
  const one = parseSettings(environment);
  expect(one.ok && one.value.repositories).toBeUndefined();
});

test.each([
  [{ RECTIFY_REPOSITORY: "acme/shop;acme/bank" }, "RECTIFY_REPOSITORY: must be owner/name, or several"],
  [{ RECTIFY_REPOSITORY: "acme/shop,bank" }, "RECTIFY_REPOSITORY: must be owner/name, or several"],
  [{ RECTIFY_REPOSITORY: "," }, "RECTIFY_REPOSITORY: must be owner/name, or several"],
  [{ RECTIFY_REPOSITORY: "acme/shop,ACME/shop" }, "RECTIFY_REPOSITORY: names ACME/shop twice"],
  [{ GITHUB_CLONE_URL: "https://git.example/x" }, "GITHUB_CLONE_URL: is the address of one repository"],
  [
    { PAGES_CLIENT_ID: "id", PAGES_CLIENT_SECRET: "secret", PAGES_URL: "https://pages.example" },
    "PAGES_CLIENT_ID: GitHub is asked about one repository",
  ],
  [{ RECTIFY_SOURCE_URLS: "https://git.example/mirrors/x" }, "RECTIFY_SOURCE_URLS: several repositories are served"],
  [{ RECTIFY_SOURCE_URLS: "acme/farm=https://git.example/mirrors/x" }, "RECTIFY_SOURCE_URLS: acme/farm is not in"],
  [
    { RECTIFY_SOURCE_URLS: "acme/shop=git@github.com:ACME/Bank.git" },
    "RECTIFY_SOURCE_URLS: git@github.com:ACME/Bank.git is said to be acme/shop and names Acme/bank",
  ],
  [
    { RECTIFY_SOURCE_URLS: "acme/shop=https://git.example/mirrors/x,acme/bank=git@git.example:mirrors/x.git" },
    "RECTIFY_SOURCE_URLS: git@git.example:mirrors/x.git stands twice",
  ],
])("what does not go with several is refused with what to do: %j", (given, problem) => {
  const read = parseSettings({ ...several, ...given });
  expect(read.ok ? [] : read.problems).toEqual([expect.stringContaining(problem)]);
});

test("an address that names its own repository takes nothing from another", () => {
  const address = "https://git.example/team/acme/shop";
  const read = parseSettings({ ...several, RECTIFY_SOURCE_URLS: `acme/shop=${address}` });
  expect(read.ok && read.value.repository.mirrors).toEqual([address]);
});

test("a setting about one repository stays one's own", () => {
  const given = { GITHUB_CLONE_URL: "https://git.example/x", RECTIFY_SOURCE_URLS: "acme/shop=https://git.example/y" };
  const read = parseSettings({ ...environment, ...given });
  expect(read.ok && read.value.repository.mirrors).toEqual(["https://git.example/y"]);
});
