import { expect, test } from "vitest";
import { belowKeys, documentsBelow, documentsOf, textOf } from "../../../../src/adapters/cli-tools/helm/wrapped.ts";
import { packedChart } from "../../../../src/adapters/cli-tools/helm/packed-chart.ts";
import { unpackChart } from "../../../../src/adapters/cli-tools/unpack-chart.ts";
import { readKubeYaml } from "../../../../src/manifests/yaml/kube-yaml.ts";

const texts = {
  plain: "a: 1\nb:\n  - x\n  - y: z\n",
  json: '{"a":1,"b":["x"]}',
  flow: "{a: 1,\n b: 2}\n",
  blocks: 'text: |\n  one\n\n   two\nfolded: >-\n  a\n  b\nkept: |+\n  c\n\nquoted: "d\n  e"\n',
  marked: "# of the team\n---\na: 1\n",
  windows: "a: 1\r\nb: 2\r\n",
};

test.each(Object.entries(texts))("values below keys mean the same: %s", (_, text) => {
  const [plain, moved] = [readKubeYaml(text), readKubeYaml(belowKeys(["v000", "web"], text) ?? "")];
  if (!plain.ok || !moved.ok) throw new Error("cannot be read");
  expect(moved.value).toEqual([{ v000: { web: plain.value[0] } }]);
});

test("a text that says nothing has no key, and more than one document has no place", () => {
  expect(belowKeys(["v000", "web"], "# nothing\n---\n\n")).toBe("");
  expect(belowKeys(["v000", "web"], "")).toBe("");
  for (const text of ["a: 1\n---\nb: 2\n", "%YAML 1.1\n---\na: 1\n", "a: 1\n...\n", "\uFEFFa: 1\n"])
    expect(belowKeys(["v000", "web"], text)).toBeUndefined();
});

const document = (file: string, name: string) => `---\n# Source: ${file}\nkind: ConfigMap\nname: ${name}\n`;

test("what Helm wrote is told apart by the copy that wrote it", () => {
  const output = document("w/charts/v000/charts/web/a.yaml", "x") + document("w/charts/v001/charts/web/a.yaml", "y");
  const documents = documentsOf(output) ?? [];
  const [first, second] = documentsBelow(documents, ["w/charts/v000/charts/", "w/charts/v001/charts/"]) ?? [];
  expect(textOf(first ?? [])).toBe(document("web/a.yaml", "x"));
  expect(textOf(second ?? [])).toBe(document("web/a.yaml", "y"));
});

test("nothing is dropped: a document of nobody, and a text before the first one, tell nothing apart", () => {
  const documents = documentsOf(document("w/templates/a.yaml", "x")) ?? [];
  expect(documentsBelow(documents, ["w/charts/v000/charts/"])).toBeUndefined();
  expect(documentsOf(`warning\n${document("web/a.yaml", "x")}`)).toBeUndefined();
  expect(documentsOf("\n")).toEqual([]);
});

test("packed files are those that are unpacked, also with long paths", () => {
  const deep = `${"d".repeat(90)}/${"e".repeat(60)}/x.yaml`;
  const files = { "Chart.yaml": "name: web\n", "values.yaml": "", [deep]: "é".repeat(700) };
  const bytes = Object.entries(files).map(([path, text]) => [`web/${path}`, new TextEncoder().encode(text)] as const);
  const unpacked = unpackChart(packedChart(new Map(bytes)) ?? new Uint8Array());
  const found = [...(unpacked ?? [])].map(([path, content]) => [path, Buffer.from(content).toString("utf8")]);
  expect(Object.fromEntries(found)).toEqual(files);
  expect(packedChart(new Map([["n".repeat(101), new Uint8Array()]]))).toBeUndefined();
});
