import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { PastRecord } from "../../../../src/domain/backtest/record.ts";
import { manyTroubles, pastTroubles } from "../../../../src/lab/scenarios/backtest/past-troubles.ts";
import { openPastWorld, type PastWorldServers } from "../../../../src/lab/scenarios/backtest/past-world.ts";
import { runPastWorld } from "../../../../src/lab/scenarios/backtest/run-past.ts";

const days = 5;
const directory = mkdtempSync(join(tmpdir(), "rectify-past-"));
const troubles = pastTroubles.filter(({ day }) => day < days);
let world: PastWorldServers;
let ran: Awaited<ReturnType<typeof runPastWorld>>;
let before: string;

beforeAll(async () => {
  world = await openPastWorld({ directory, days, troubles, guardrails: "namespaces: [shop]\n" });
  before = stateOf(world.repository);
  ran = await runPastWorld(world, { directory });
}, 120_000);

afterAll(async () => {
  await world.close();
  rmSync(directory, { recursive: true, force: true });
});

describe("a backtest over a past with known truth", () => {
  test("finds each trouble once, with the verdict that is true", () => {
    const seen = ran.records.map(({ workload, alert, verdict }) => [workload.split("/")[2], alert, verdict.kind]);
    expect(seen).toEqual(troubles.map(({ workload, alert, truth }) => [workload, alert, truth]));
  });

  test("says how much sooner: from 30 s after the alert to the commit of the person", () => {
    const leads = ran.records.map(({ verdict, startedAt }) => [verdict.leadMs, startedAt] as const);
    const wanted = troubles.map(({ person }, index) => {
      const begun = Date.parse(leads[index]?.[1] ?? "");
      const hour = Math.floor(begun / 3_600_000) * 3_600_000;
      return person && hour + person.at * 60_000 - begun - 30_000;
    });
    expect(leads.map(([lead]) => lead)).toEqual(wanted);
  });

  test("names the numbers of both", () => {
    expect(ran.records[0]).toMatchObject({
      would: { kind: "proposed", to: 4 },
      verdict: { ours: "4", theirs: "4" },
    });
  });

  test("calls what cannot be known any more missing", () => {
    for (const { missing } of ran.records) expect(missing).toContain("events around the workload");
  });

  test("and what was answered without data not missing, but empty", () => {
    for (const { empty, missing } of ran.records) {
      expect(empty.filter((title) => missing.includes(title))).toEqual([]);
      expect(empty).not.toContain("CPU used");
    }
  });

  test("only reads: every question is a GET, and the repository is as it was", () => {
    expect(new Set(world.asked)).toEqual(new Set(["GET prometheus", "GET loki"]));
    expect(stateOf(world.repository)).toBe(before);
  });
});

test("a past without guardrails is seen with those that are tried", async () => {
  const none = await openPastWorld({
    directory: mkdtempSync(join(directory, "none-")),
    days: 2,
    troubles: troubles.slice(0, 1),
  });
  try {
    const scratch = mkdtempSync(join(directory, "mirror-"));
    const [without] = (await runPastWorld(none, { directory: scratch })).records as [PastRecord];
    expect(without.would).toMatchObject({ kind: "no-remedy", because: expect.stringContaining(".github/rectify.yml") });
    const overlay = { ".github/rectify.yml": "namespaces: [shop]\n" };
    const [tried] = (await runPastWorld(none, { directory: scratch, overlay })).records as [PastRecord];
    expect(tried.verdict.kind).toBe("earlier");
  } finally {
    await none.close();
  }
}, 60_000);

function stateOf(repository: string): string {
  return readdirSync(repository, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((item) => item.isFile())
    .map(
      (item) => `${item.parentPath}/${item.name} ${readFileSync(join(item.parentPath, item.name)).toString("base64")}`,
    )
    .sort()
    .join("\n");
}

describe("policies", () => {
  test("are asked once for each distinct effect, and again only where they gave no verdict", async () => {
    const place = mkdtempSync(join(tmpdir(), "rectify-past-"));
    const files = { "policies/any.yaml": "apiVersion: policies.kyverno.io/v1\nkind: ValidatingPolicy\n" };
    const guardrails = "namespaces: [shop]\n";
    const many = await openPastWorld({ directory: place, ...manyTroubles(6), guardrails, files });
    let asked = 0;
    const verdicts = ["not-evaluated", "passed", "passed"] as const;
    const policies = {
      judge: async () => {
        const kind = verdicts[asked] ?? "passed";
        asked += 1;
        return { kind, because: "it took too long", results: [], notEvaluated: [] };
      },
    };
    try {
      const { records } = await runPastWorld(many, { directory: place, policies });
      const proposed = records.filter(({ would }) => would.kind === "proposed");
      // Two workloads twice each, with one effect each; the third may not be changed, and is not judged.
      expect([records.length, proposed.length, asked]).toEqual([6, 4, 3]);
    } finally {
      await many.close();
      rmSync(place, { recursive: true, force: true });
    }
  }, 120_000);
});
