import { expect, test } from "vitest";
import { kubernetesInteger, kubernetesScalar, needsQuotes } from "../../../src/manifests/yaml/scalar.ts";
import { parseText, resolved, type ScalarNode } from "../../../src/manifests/yaml/source.ts";

function scalar(text: string): ScalarNode {
  const source = parseText("a.yaml", text, text);
  const node = source.ok ? resolved(source.file.documents[0]?.root) : undefined;
  if (node?.kind !== "scalar") throw new Error(`${text} is no scalar`);
  return node;
}

/** Checked against `kubectl annotate --local -f FILE a=b -o json` of kubectl 1.32 (sigs.k8s.io/yaml). */
test.each<[string, unknown]>([
  ["10", 10],
  ["010", 8],
  ["0o10", 8],
  ["0x1F", 31],
  ["0b101", 5],
  ["1_000", 1000],
  ["08", 8],
  ["-3", -3],
  ["1e3", 1000],
  ["1.5", 1.5],
  ["yes", true],
  ["off", false],
  ["null", null],
  ["~", null],
  ['"10"', "10"],
  ["250m", "250m"],
  ["1.2.3", "1.2.3"],
])("%s is read as Kubernetes reads it", (text, value) => {
  expect(kubernetesScalar(scalar(text))).toBe(value);
});

test.each<[string, number | undefined]>([
  ["010", 8],
  ['"4"', 4],
  ["4.5", undefined],
  ["many", undefined],
])("a count of %s is %s", (text, value) => {
  expect(kubernetesInteger(scalar(text))).toBe(value);
});

test.each<[string, boolean]>([
  ["1.10", true],
  ["v1.10", false],
  ["1.4.0", false],
  ["256Mi", false],
  ["on", true],
  ["2024-01-02", true],
  ["a: b", true],
  ["", true],
])("%j needs quotes to stay text: %s", (text, needed) => {
  expect(needsQuotes(text)).toBe(needed);
});
