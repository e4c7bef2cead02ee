import { describe, expect, test } from "vitest";
import { cloneAddress } from "../../../src/adapters/github/clone-address.ts";

const ofGitHub = { apiUrl: "https://api.github.com", reported: "https://github.com/acme/shop.git", given: undefined };
const ofEnterprise = {
  apiUrl: "https://git.acme.example/api/v3",
  reported: "https://git.acme.example/acme/shop.git",
  given: undefined,
};

describe("the clone address", () => {
  test.each([
    ["of github.com", ofGitHub, "https://github.com/acme/shop.git"],
    ["of an Enterprise server is on that server", ofEnterprise, "https://git.acme.example/acme/shop.git"],
    [
      "with data residency is not on the API's host",
      { ...ofGitHub, apiUrl: "https://api.acme.ghe.com", reported: "https://acme.ghe.com/acme/shop.git" },
      "https://acme.ghe.com/acme/shop.git",
    ],
    [
      "may be set to another path of the same host",
      { ...ofEnterprise, given: "https://git.acme.example/renamed/shop.git" },
      "https://git.acme.example/renamed/shop.git",
    ],
    [
      "carries no user and password",
      { ...ofEnterprise, given: "https://me:secret@git.acme.example/acme/shop.git" },
      "https://git.acme.example/acme/shop.git",
    ],
  ])("%s", (_what, sources, address) => {
    expect(cloneAddress(sources)).toBe(address);
  });

  test.each([
    ["on another host", { ...ofEnterprise, given: "https://github.com/acme/shop.git" }],
    ["on another port", { ...ofEnterprise, given: "https://git.acme.example:8443/acme/shop.git" }],
    ["without TLS on the same host", { ...ofEnterprise, given: "http://git.acme.example/acme/shop.git" }],
    ["without TLS, as the API gives it", { ...ofEnterprise, reported: "http://git.acme.example/acme/shop.git" }],
    ["by another protocol", { ...ofEnterprise, given: "ssh://git@git.acme.example/acme/shop.git" }],
    ["that the API does not give", { ...ofEnterprise, reported: "" }],
  ])("%s would be sent the token: refused", (_what, sources) => {
    expect(() => cloneAddress(sources)).toThrow(/unset it|enable TLS|no clone address/);
  });
});
