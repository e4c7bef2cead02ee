import { expect, test } from "vitest";
import { repositoryNamed } from "../../../src/domain/text/repository-address.ts";
import { namesRepository } from "../../../src/manifests/gitops/own-repository.ts";

const ours = { owner: "Acme", repo: "shop" };

test.each([
  "https://github.com/acme/shop",
  "https://github.com/Acme/Shop.git/",
  "git@github.com:acme/shop.git",
  "ssh://git@ssh.github.com:443/acme/shop.git",
  "http://mirror.internal:8080/github/acme/shop.git",
])("%s names our repository", (url) => {
  expect(namesRepository(url, ours)).toBe(true);
});

test.each([
  "https://github.com/acme/shop-config",
  "https://github.com/other/shop",
  "https://github.com/acme/shop/other",
  "https://acme/shop",
  "shop",
  "",
])("%s names another one, or none", (url) => {
  expect(namesRepository(url, ours)).toBe(false);
});

test.each([
  ["https://git.example/mirrors/gitops", true],
  ["ssh://git@git.example:2222/mirrors/gitops.git", true],
  ["https://github.com/acme/shop", true],
  ["https://other.example/mirrors/gitops", false],
  ["https://git.example/mirrors/gitops-2", false],
])("with a mirror named, %s is ours: %s", (url, isOurs) => {
  expect(namesRepository(url, { ...ours, mirrors: ["git@git.example:Mirrors/gitops"] })).toBe(isOurs);
});

test("an address is told as the setting would name it", () => {
  expect(repositoryNamed("git@github.com:acme/team-b.git")).toBe("acme/team-b");
  expect(repositoryNamed("https://charts.example")).toBeUndefined();
});
