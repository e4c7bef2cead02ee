import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { lexicalEmbedding, lexicalModel } from "../../../src/domain/llm/embedding.ts";

function likeness(one: string, other: string): number {
  const a = lexicalEmbedding(one);
  const b = lexicalEmbedding(other);
  return a.reduce((sum, value, i) => sum + value * (b[i] ?? 0), 0);
}

describe("the lexical embedding", () => {
  const incident = "HighLatency page\nDeployment web\np99 latency of web: last value 2.4 s";

  test.each([
    ["the same incident with other numbers", incident.replace("2.4", "7.91"), "HighLatency page\nDeployment cart"],
    ["the same words in another order", "web Deployment HighLatency", "DiskFilling on a volume of ledger"],
    ["the alert's name in other letters", "highlatency", "diskfilling"],
    ["a word with another ending", "latencies of webs", "restarts of pods"],
  ])("is closer to %s than to something else", (_, near, far) => {
    expect(likeness(incident, near)).toBeGreaterThan(likeness(incident, far));
  });

  test("is the same for the same text and of length 1 for any text with words", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary", maxLength: 200 }), (text) => {
        const vector = lexicalEmbedding(text);
        const length = Math.hypot(...vector);
        expect(vector).toHaveLength(lexicalModel.dimension);
        expect(lexicalEmbedding(text)).toEqual(vector);
        // Two features of equal weight may cancel each other, so that nothing is left.
        expect(length === 0 || Math.abs(length - 1) < 1e-5).toBe(true);
      }),
      { numRuns: 200 },
    );
  });

  test("keeps its rules, because vectors on disk were made by them", () => {
    const places = [...lexicalEmbedding("HighLatency web 42")].flatMap((value, i) =>
      Math.abs(value) > 0.25 ? [[i, Number(value.toFixed(4))]] : [],
    );
    expect(places).toMatchInlineSnapshot(`
      [
        [
          44,
          -0.2717,
        ],
        [
          219,
          0.3881,
        ],
        [
          295,
          -0.2717,
        ],
        [
          300,
          0.3881,
        ],
        [
          405,
          -0.3881,
        ],
        [
          551,
          -0.3881,
        ],
        [
          568,
          -0.2717,
        ],
      ]
    `);
  });

  test("of a text without words is zero", () => {
    expect(lexicalEmbedding("… — !").every((value) => value === 0)).toBe(true);
  });
});
