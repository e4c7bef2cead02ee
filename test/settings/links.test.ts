import { expect, test } from "vitest";
import { webAddress } from "../../src/settings/links.ts";

test.each([
  ["https://api.github.com", "https://github.com"],
  ["https://api.acme.ghe.com", "https://acme.ghe.com"],
  ["https://github.acme.com/api/v3", "https://github.acme.com"],
  ["https://git.acme.com/github/api/v3/", "https://git.acme.com/github"],
  ["http://127.0.0.1:4010", "http://127.0.0.1:4010"],
  ["https://api.acme.com", "https://api.acme.com"],
])("the API at %s has its pages at %s", (api, web) => {
  expect(webAddress(api)).toBe(web);
});
