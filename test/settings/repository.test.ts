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
