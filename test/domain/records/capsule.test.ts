import { describe, expect, test } from "vitest";
import { capsuleOf, readCapsule, renderCapsule, replayCapsule } from "../../../src/domain/records/capsule.ts";
import { at, evidenceFrom, facts, incidentOf, level, series, step, text } from "../incident/incident-fixture.ts";

const of = (deployment: string, metric: string) => ({ namespace: "shop", deployment, metric });
const evidence = evidenceFrom([
  ["alert", facts({ alertname: "HighRequestLatency", "3": "a key that looks like a number", __proto__: "x" })],
  ["alert-metric", series({ values: [...step(0.1, 0.9), Number.NaN] })],
  ["cpu-used", series({ values: level(0.95) })],
  ["cpu-requested", series({ values: level(1) })],
  ["calls", series({ labels: { deployment: "web", dst_deployment: "api" }, values: level(3) })],
  [
    "node-metrics",
    series(
      { labels: of("web", "latency"), values: step(0.1, 0.9) },
      { labels: of("api", "latency"), values: step(0.1, 0.9) },
    ),
  ],
  ["events", text("Warning BackOff web-1: \u0000 ümlaut \ud800")],
  ["commits", { kind: "missing", because: "the mirror is away" }],
]);
const capsule = capsuleOf(incidentOf(), evidence, { at: at(30), versions: { rectify: "0.1.0" } });
const file = renderCapsule(capsule);

function read(content: string) {
  const reading = readCapsule(content);
  if (reading.kind === "unreadable") throw new Error(reading.because);
  return reading.capsule;
}

describe("a capsule", () => {
  test("holds the incident, the evidence, the ranking and the diagnosis", () => {
    const { incident, evidence: items, ranking, diagnosis, versions } = read(file);
    expect(incident).toEqual(incidentOf());
    expect(items).toHaveLength(8);
    expect([ranking.kind, diagnosis.kind]).toEqual(["ranked", "diagnosed"]);
    expect(versions).toEqual({ rectify: "0.1.0" });
  });

  test("is the same text after reading and rendering", () => expect(renderCapsule(read(file))).toBe(file));

  test("gives the same diagnosis again, without any source", () => {
    const replay = replayCapsule(read(file));
    expect(replay.differences).toEqual([]);
    expect(replay.diagnosis).toMatchObject({
      kind: "diagnosed",
      causes: [{ kind: "downstream" }, { kind: "saturated" }],
    });
  });

  test("says where a recorded diagnosis differs from the one of now", () => {
    const other = { ...capsule, diagnosis: { kind: "abstained" as const, because: "an older version saw nothing" } };
    const { differences } = replayCapsule(read(renderCapsule(other)));
    expect(differences).toEqual([expect.stringContaining("an older version saw nothing")]);
  });
});

describe("is unreadable", () => {
  const evil = renderCapsule({ ...capsule, evidence: capsule.evidence.map((item) => ({ ...item, hash: "0" })) });
  test.each([
    ["no JSON", "{", "not a capsule"],
    ["something else", '{"format":"other"}', "not a capsule"],
    ["null", "null", "not a capsule"],
    ["another version", file.replace("rectify-capsule/1", "rectify-capsule/9"), "format"],
    ["a changed number", file.replace('"severity":"critical"', '"severity":"low"'), "digest"],
    ["a cut end", file.slice(0, -20), "not a capsule"],
    ["evidence without its hash", evil, "does not have its hash"],
  ])("when it is %s", (_, content, because) => {
    expect(readCapsule(content)).toMatchObject({ kind: "unreadable", because: expect.stringContaining(because) });
  });
});
