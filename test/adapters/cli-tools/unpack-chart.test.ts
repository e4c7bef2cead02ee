import { expect, test } from "vitest";
import { unpackStrictly } from "../../../src/adapters/cli-tools/unpack-chart.ts";
import { inScratch } from "../../../src/adapters/cli-tools/offline.ts";
import { scratchDirectory } from "../../scratch.ts";
import { archiveOf, shopChart } from "./helm/chart-archives.ts";

const hidden = { path: "shop/templates/b.yaml", text: "kind: ConfigMap\n" };

function record(key: string, value: string): string {
  const body = ` ${key}=${value}\n`;
  const plain = Buffer.byteLength(body);
  const digits = String(plain + String(plain).length).length;
  return `${plain + digits}${body}`;
}

const strictly = (...more: Parameters<typeof archiveOf>[0]) => unpackStrictly(archiveOf([...shopChart(), ...more]));

// Helm reads `templates/b.yaml` of each: what we would not see could move without being seen.
test.each([
  "shop/templates//b.yaml",
  "shop/./templates/b.yaml",
  "x/shop\\templates/b.yaml",
  "shop\\templates\\b.yaml",
  "./shop/templates/b.yaml",
])("an archive with the path %s is refused", (path) => {
  expect(strictly({ ...hidden, path })).toMatchObject({ ok: false, because: expect.stringContaining("no plain path") });
});

test.each([
  ["no name", record("path", "")],
  ["two names", record("path", "shop/README.md") + record("path", "shop/templates/b.yaml")],
  ["a size of its own", record("size", "60")],
  ["holes", record("GNU.sparse.name", "shop/templates/b.yaml")],
  ["a name that no file has", record("path", "shop/templates/b\0.yaml")],
  ["a record that is cut short", "99 path=shop/README.md\n"],
])("an archive that gives an item %s is refused", (_, text) => {
  expect(strictly({ path: "PaxHeader", text, type: "x" }, hidden)).toEqual({
    ok: false,
    because: "its archive says of an item what tools read differently",
  });
});

test("what looks like a name inside another record is none", () => {
  const text = record("comment", `x\n${record("path", "shop/README.md")}`);
  const found = strictly({ path: "PaxHeader", text, type: "x" }, hidden);
  expect(found.ok && found.files.has("templates/b.yaml")).toBe(true);
});

test("a name that no directory holds is a reason, not a crash", async () => {
  expect(strictly({ path: "PaxHeader", text: record("path", `shop/${"b".repeat(300)}`), type: "x" }, hidden).ok).toBe(
    false,
  );
  const limits = { timeLimitMs: 1_000, scratch: scratchDirectory() };
  const reached = async () => ({ ok: true, output: "" }) as const;
  const nothing = new Uint8Array();
  for (const names of [["a", "a/b"], ["a/b", "a"], ["b".repeat(300)], ["a\0b"]])
    expect(
      await inScratch({ files: new Map(names.map((name) => [name, nothing])), links: new Map() }, limits, reached),
    ).toMatchObject({
      ok: false,
      because: expect.stringContaining("cannot be written"),
    });
});
