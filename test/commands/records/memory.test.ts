import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openMemory } from "../../../src/adapters/memory/memory.ts";
import { postMortemsIn } from "../../../src/commands/repository/checkout.ts";
import { capsuleOf, renderCapsule } from "../../../src/domain/records/capsule.ts";
import { evidenceOf } from "../../../src/domain/evidence/evidence.ts";
import { openIncident } from "../../../src/domain/incident/incident.ts";
import { postMortemOf, postMortemPath, renderSealed, withdraw } from "../../../src/domain/records/post-mortem.ts";
import { evaluate } from "../../../src/commands/records/evaluate.ts";
import { exportTraining } from "../../../src/commands/records/export-training.ts";
import { type LabModel, labModelName, startModel } from "../../../src/lab/model/model.ts";
import { searchMemory, showMemory } from "../../../src/commands/records/memory.ts";
import { anAlert } from "../../builders.ts";

const sealKey = "a key of these tests, long enough to be one";
let directory: string;
let repository: string;
let env: Record<string, string>;
let model: LabModel;

const workload = { kind: "Deployment", namespace: "shop", name: "web" };
const incidentOf = (day: number) =>
  openIncident("test", workload, anAlert({ startsAt: `2026-11-0${day}T00:00:00.000Z` }));

/** A verified scale-up; the fifth was disputed. */
function record(day: number) {
  const remediation = {
    ...({ kind: "scale", workload, change: { kind: "replicas", to: 5 }, from: "2", to: "5", sizing: [] } as const),
  };
  const verification = { kind: "recovered", because: "the alert is resolved", afterMs: 1000 } as const;
  const cause = { sentence: "web is hot; password=hunter2-canary", citing: ["E1"] };
  const outcome = { ending: "recovered", because: "it recovered", cause, remediation, verification } as const;
  const made = postMortemOf({ incident: incidentOf(day), outcome, evidence: [], now: `2026-11-0${day}T01:00:00Z` });
  return day === 5 ? withdraw(made, { kind: "disputed", by: "ann", at: "2026-11-06T00:00:00Z" }) : made;
}

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), "rectify-commands-"));
  repository = join(directory, "repository");
  mkdirSync(join(repository, "postmortems"), { recursive: true });
  for (const day of [1, 2, 3, 4, 5]) {
    const made = record(day);
    writeFileSync(join(repository, postMortemPath(made)), renderSealed(made, sealKey));
  }
  writeFileSync(join(repository, "postmortems/forged.md"), renderSealed(record(6), "another key"));
  env = { RECTIFY_DATA: join(directory, "data"), SEAL_KEY: sealKey };
  model = await startModel();
});
afterAll(async () => {
  await model.close();
  rmSync(directory, { recursive: true, force: true });
});

describe("rectify memory", () => {
  test("tells the index, and each post-mortem with what it came to", async () => {
    const { lines, code } = await showMemory(repository, env);
    const text = lines.join("\n");
    expect(code).toBe(0);
    expect(text).toContain("Index: none (nothing remembered yet)");
    expect(text).toContain("5 post-mortems, 4 count");
    expect(text).toContain("Ignored: postmortems/forged.md: it does not carry our seal");
    expect(text).toMatch(/^- 2026-11-05 verified, disputed by ann {2}HighRequestLatency of shop\/Deployment\/web/m);
    expect(text).toMatch(/^\+ 2026-11-04 verified {2}/m);
  });

  test("searches the index of a running Rectify, and says how it was made", async () => {
    expect(await searchMemory("latency of web", env)).toMatchObject({ code: 1 });
    const memory = await openMemory({ directory: join(directory, "data", "memory"), faiss: "off" });
    const source = await postMortemsIn(repository, env);
    await memory.rebuild(source?.entries ?? [], "c0ffee");
    await memory.close();
    const { lines, code } = await searchMemory("HighRequestLatency Deployment web", env);
    expect(code).toBe(0);
    expect(lines).toHaveLength(4);
    expect(lines[0]).toMatch(/^0\.\d+ 2026-11-0\d verified {2}HighRequestLatency of shop\/Deployment\/web: scale web/);
    const shown = (await showMemory(repository, env)).lines.join("\n");
    expect(shown).toMatch(/Index: 4 entries, (plain scan|FAISS).*\nModel: lexical-1, dimension 768\nMade from: c0ffee/);
  });

  test("says what is missing where there is no repository", async () => {
    expect(await showMemory(undefined, { RECTIFY_DATA: join(directory, "nothing") })).toMatchObject({ code: 1 });
  });
});

test("export-training writes masked pairs split by time, the card and the Modelfile, without what was withdrawn", async () => {
  const out = join(directory, "training");
  const now = new Date("2026-11-25T00:00:00Z");
  const { lines, code } = await exportTraining({ out, repository, base: "llama3.1:8b" }, env, now);
  expect(code).toBe(0);
  expect(lines[0]).toMatch(/^4 pairs to train, 0 to validate|^3 pairs to train, 1 to validate/);
  const read = (name: string) => readFileSync(join(out, name), "utf8");
  const pairs = `${read("train.jsonl")}${read("validation.jsonl")}`;
  expect(pairs.trim().split("\n")).toHaveLength(4);
  expect(pairs).not.toContain("hunter2-canary");
  expect(read("Modelfile")).toMatch(/^FROM llama3\.1:8b\nADAPTER \.\.\/adapter$/m);
  expect(read("README.md")).toContain("# Training set of Rectify");
  const wrong = await exportTraining({ out, repository, base: "--evil\nRUN" }, env, now);
  expect(wrong).toMatchObject({ code: 1, lines: [expect.stringContaining("not the name of a model")] });
});

describe("rectify eval", () => {
  const when = { from: "2026-11-24T01:30:00Z", to: "2026-11-24T02:00:00Z" };
  const cores = (id: string, key: "cpu-used" | "cpu-requested", value: number) =>
    evidenceOf(id, {
      ...{ source: "prometheus", key, title: key, query: `sum(${key})`, ...when },
      finding: { kind: "series", unit: "cores", series: [{ labels: {}, points: [[1, value]] }], notes: [] },
    });
  let capsules: string;

  beforeAll(() => {
    capsules = join(directory, "capsules");
    mkdirSync(capsules);
    const evidence = [cores("E1", "cpu-used", 0.48), cores("E2", "cpu-requested", 0.5)];
    for (let count = 0; count < 20; count += 1) {
      const incident = openIncident("test", workload, anAlert({ startsAt: `2026-10-01T00:00:${10 + count}.000Z` }));
      const capsule = capsuleOf(incident, evidence, { at: when.to, versions: {} });
      writeFileSync(join(capsules, `${count}.json`), renderCapsule(capsule));
    }
    writeFileSync(join(capsules, "broken.json"), "{}");
  });

  const asked = (change: object = {}) =>
    evaluate({ capsules: [capsules], model: labModelName, ...change }, { ...env, OLLAMA_HOST: model.url });

  test("prints accuracy, abstention and latency of a model, and what could not be read", async () => {
    model.setBehaviour("honest");
    const { lines, code } = await asked();
    const text = lines.join("\n");
    expect(code).toBe(0);
    expect(text).toContain(`| ${labModelName} | 20 | 100.0 % | 0.0 % | 0.0 % | 0.0 % |`);
    expect(text).toContain("What is right: 0 by verified post-mortems, 20 by the ranking of that time.");
    expect(text).toContain("broken.json: not a capsule");
  });

  test("admits an equal model and refuses a worse one against an earlier judgement", async () => {
    model.setBehaviour("honest");
    const baseline = join(directory, "baseline.json");
    const judged = JSON.parse((await asked({ json: true })).lines.join("")) as { evaluations: { latencyMs: object }[] };
    // Only what was answered is compared here: how long it took depends on this machine.
    const patient = judged.evaluations.map((one) => ({ ...one, latencyMs: { p50: 1e6, p95: 1e6, p99: 1e6 } }));
    writeFileSync(baseline, JSON.stringify({ evaluations: patient }));
    expect(await asked({ baseline })).toMatchObject({ code: 0 });
    model.setBehaviour("liar");
    const { lines, code } = await asked({ baseline });
    expect(code).toBe(1);
    expect(lines).toContainEqual(expect.stringMatching(/^Not admitted: accuracy is lower: 100\.0 % against 0\.0 %/));
  });

  test.each<[string, object, RegExp]>([
    ["a model that is not there", { model: "nobody:1b" }, /there is no model nobody:1b/],
    ["no capsule", { capsules: [] }, /no capsule holds a question/],
    ["a baseline that is another file", { baseline: "package.json" }, /not the output of rectify eval/],
  ])("%s is said, with code 1", async (_, change, reason) => {
    model.setBehaviour("honest");
    const { lines, code } = await asked(change);
    expect(code).toBe(1);
    expect(lines.join("\n")).toMatch(reason);
  });
});
