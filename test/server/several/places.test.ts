import { expect, test } from "vitest";
import { settingsAt } from "../../../src/server/several/places.ts";
import type { Settings } from "../../../src/settings/settings.ts";

const [shop, bank] = [
  { owner: "acme", repo: "shop" },
  { owner: "Acme", repo: "Bank" },
];
const settings = {
  ...{ repository: shop, repositories: [shop, bank], dataDirectory: "/data", sealKey: "k".repeat(32) },
  github: { apiUrl: "https://api.github.com", writeGapMs: 0 },
  links: { pages: "https://pages.example", repository: "https://github.com/acme/shop" },
} as unknown as Settings;
const place = (name: string, isFirst: boolean) => ({
  name,
  url: `postgresql://db/${isFirst ? "base" : "own"}`,
  isFirst,
});

test("the one with the first database keeps directory and seal, each other has its own", () => {
  const first = settingsAt(settings, shop, place("acme/shop", true));
  expect(first).toMatchObject({
    databaseUrl: "postgresql://db/base",
    dataDirectory: "/data",
    sealKey: settings.sealKey,
  });
  const own = settingsAt(settings, bank, place("acme/bank", false));
  expect(own).toMatchObject({ repository: bank, databaseUrl: "postgresql://db/own" });
  expect(own.dataDirectory).toMatch(/^\/data\/repositories\/acme-bank-[0-9a-f]{10}$/);
  expect(own.sealKey).not.toBe(settings.sealKey);
  expect(settingsAt(settings, bank, place("acme/bank", false)).sealKey).toBe(own.sealKey);
});

test("links lead to the pages of the repository, and those of a single one stay", () => {
  const own = settingsAt(settings, bank, place("acme/bank", false));
  expect(own.links).toEqual({
    pages: "https://pages.example/repositories/Acme/Bank",
    repository: "https://github.com/Acme/Bank",
  });
  const single = { ...settings, repositories: undefined };
  expect(settingsAt(single, shop, place("acme/shop", true)).links).toEqual(settings.links);
});
