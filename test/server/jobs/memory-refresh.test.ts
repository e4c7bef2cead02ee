import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { EmbeddingSource } from "../../../src/adapters/memory/embedder.ts";
import { openIncident } from "../../../src/domain/incident/incident.ts";
import {
  type PostMortem,
  postMortemOf,
  postMortemPath,
  renderSealed,
  withdraw,
} from "../../../src/domain/records/post-mortem.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { recall } from "../../../src/flow/recall.ts";
import { type RefreshedMemory, refreshMemory } from "../../../src/server/jobs/memory-refresh.ts";
import { Unavailable } from "../../../src/ports/errors.ts";
import { anAlert } from "../../builders.ts";
import { scratchDirectory } from "../../scratch.ts";

const sealKey = "a key of these tests";
const open: RefreshedMemory[] = [];
const directories: string[] = [];
afterEach(async () => {
  for (const memory of open.splice(0)) await memory.close();
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

/** A verified scale-up of a workload, `day` days into November. */
function record(day: number, change: { readonly name?: string; readonly namespace?: string; alert?: string } = {}) {
  const workload = { kind: "Deployment", namespace: change.namespace ?? "shop", name: change.name ?? "web" };
  const startsAt = `2026-11-0${day}T00:00:00.000Z`;
  const incident = openIncident("test", workload, anAlert({ name: change.alert ?? "HighLatency", startsAt }));
  const remediation = {
    ...({ kind: "scale", workload, change: { kind: "replicas", to: 5 }, from: "2", to: "5", sizing: [] } as const),
  };
  const verification = { kind: "recovered", because: "the alert is resolved", afterMs: 1000 } as const;
  const outcome = { ending: "recovered", because: "it recovered", remediation, verification } as const;
  return postMortemOf({ incident, outcome, evidence: [], now: startsAt });
}

const guardrails = "namespaces: [shop, billing]\n";
const filesOf = (records: readonly PostMortem[], key = sealKey) =>
  Object.fromEntries(records.map((one) => [postMortemPath(one), renderSealed(one, key)]));

/** A default branch whose commits are put there by the test. */
function repository(first: readonly PostMortem[], rules = guardrails) {
  let files = filesOf(first);
  let count = 1;
  return {
    commit: (next: Record<string, string>) => {
      files = next;
      count += 1;
    },
    head: async () => ({ sha: String(count), tree: treeOf({ ".github/rectify.yml": rules, ...files }) }),
  };
}

function kept(
  github: Parameters<typeof refreshMemory>[0]["github"],
  change: Partial<Parameters<typeof refreshMemory>[0]> = {},
) {
  const directory = mkdtempSync(join(tmpdir(), "rectify-kept-"));
  directories.push(directory);
  const warnings: string[] = [];
  const warn = (text: string) => void warnings.push(text);
  const memory = refreshMemory({
    directory,
    github,
    sealKey,
    embedding: undefined,
    everyMs: 3_600_000,
    warn,
    ...change,
  });
  open.push(memory);
  return { memory, warnings };
}

const anywhere = { namespaces: ["shop", "billing"], except: [] };
const uidsIn = async (memory: RefreshedMemory) =>
  (await memory.nearest("HighLatency warning\nDeployment web", 9, anywhere)).map(({ remembered }) => remembered.uid);

describe("the memory", () => {
  test("is empty and off until it was opened, and then holds what Git holds under our seal", async () => {
    const [ours, forged] = [record(1), record(2)];
    const github = repository([ours]);
    github.commit({ ...filesOf([ours]), ...filesOf([forged], "another key") });
    const { memory } = kept(github);
    expect(memory.state()).toMatchObject({ kind: "off" });
    expect(await uidsIn(memory)).toEqual([]);
    await memory.refresh();
    expect(memory.state()).toMatchObject({ kind: "ready", entries: 1 });
    expect(await uidsIn(memory)).toEqual([ours.uid]);
  });

  test("follows the default branch, and a withdrawal in Git is final there", async () => {
    const [first, second] = [record(1), record(2)];
    const github = repository([first]);
    const { memory } = kept(github);
    await memory.refresh();
    github.commit(filesOf([first, second]));
    await memory.refresh();
    expect(memory.state()).toMatchObject({ entries: 2 });
    const disputed = withdraw(first, { kind: "disputed", by: "ann", at: "2026-11-03T00:00:00Z" });
    github.commit({ ...filesOf([disputed, second]), "postmortems/copy.md": renderSealed(first, sealKey) });
    await memory.refresh();
    expect(await uidsIn(memory)).toEqual([second.uid]);
    expect(memory.records().map(({ uid }) => uid)).toEqual([second.uid, first.uid]);
  });

  test("says once why it is off when its directory cannot be used, and breaks nothing", async () => {
    const blocked = join(scratchDirectory(), "file");
    writeFileSync(blocked, "");
    const { memory, warnings } = kept(repository([record(1)]), { directory: blocked });
    await memory.refresh();
    await memory.refresh();
    expect(memory.state()).toMatchObject({ kind: "off", because: expect.stringMatching(/EEXIST|ENOTDIR/) });
    expect(await uidsIn(memory)).toEqual([]);
    expect(warnings).toEqual([expect.stringMatching(/^memory not brought up to date: /)]);
  });

  test("keeps its entries while Git or the embedding gives no answer", async () => {
    let down = false;
    const embedding: EmbeddingSource = {
      model: "embedder",
      embed: async (texts) => {
        if (down) throw new Unavailable("Ollama: no answer in time");
        return { digest: "1", vectors: texts.map(() => [1, 0, 0, 0]) };
      },
    };
    const one = record(1);
    const github = repository([one]);
    const { memory, warnings } = kept(github, { embedding });
    await memory.refresh();
    github.commit(filesOf([one, record(2, { name: "cart" })]));
    down = true;
    await memory.refresh();
    expect(memory.state()).toMatchObject({ kind: "ready", entries: 1 });
    expect(await uidsIn(memory)).toEqual([]);
    expect(warnings.at(-1)).toMatch(/^memory not asked: Ollama/);
    down = false;
    await memory.refresh();
    expect(memory.state()).toMatchObject({ entries: 2 });
  });
});

describe("recall", () => {
  const incident = openIncident(
    "test",
    { kind: "Deployment", namespace: "shop", name: "web" },
    anAlert({ name: "HighLatency", startsAt: "2026-11-09T00:00:00.000Z" }),
  );
  const same = record(1);
  const alike = record(2, { alert: "HighLatencyOfAll" });
  const elsewhere = record(3, { namespace: "billing" });
  const all = [same, alike, elsewhere];

  async function linesOf(rules: string, withdrawn: readonly PostMortem[] = []): Promise<readonly string[]> {
    const github = repository(all, rules);
    const { memory } = kept(github);
    await memory.refresh();
    const withdrawals = async () =>
      withdrawn.map(({ uid }) => ({ incident: uid, kind: "disputed" as const, by: "ann", at: "2026-11-04T00:00:00Z" }));
    const ports = {
      github,
      memory,
      sealKey,
      records: { withdrawals },
      clock: { now: () => new Date(incident.startedAt) },
    };
    return (await recall(incident, [], ports as unknown as Parameters<typeof recall>[2])).lines;
  }
  const daysIn = (lines: readonly string[]) => lines.map((line) => /2026-11-(\d\d)/.exec(line)?.[1]);

  test("tells this alert on this workload first, then what is alike in the same namespace", async () => {
    const lines = await linesOf(guardrails);
    expect(daysIn(lines)).toEqual(["01", "02"]);
    expect(lines[0]).toMatch(/^Worked \(this alert on this workload\)/);
    expect(lines[1]).toMatch(/^Worked \(alike, \d+ %\)/);
  });

  test("looks into other namespaces only where the guardrails share memories", async () => {
    const lines = await linesOf(`${guardrails}memoryIsolation: false\n`);
    expect(daysIn(lines).toSorted()).toEqual(["01", "02", "03"]);
  });

  test("passes over what a person withdrew, before Git says so", async () => {
    expect(daysIn(await linesOf(guardrails, [same]))).toEqual(["02"]);
    expect(daysIn(await linesOf(guardrails, all))).toEqual([]);
  });
});
