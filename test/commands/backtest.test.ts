import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backtest, type BacktestAsked } from "../../src/commands/backtest/backtest.ts";
import { backtestSettings } from "../../src/commands/backtest/sources.ts";
import { pastStories } from "../../src/lab/scenarios/backtest/past-stories.ts";
import { openPastWorld, type PastWorldServers } from "../../src/lab/scenarios/backtest/past-world.ts";

const directory = mkdtempSync(join(tmpdir(), "rectify-backtest-"));
const record = join(directory, "record.jsonl");
const html = join(directory, "report.html");
let world: PastWorldServers;

beforeAll(async () => {
  world = await openPastWorld({ directory, days: 3, stories: pastStories.slice(0, 2) });
}, 120_000);

afterAll(async () => {
  await world.close();
  rmSync(directory, { recursive: true, force: true });
});

async function run(asked: Partial<BacktestAsked> = {}) {
  const environment = {
    PROMETHEUS_URL: world.prometheus,
    LOKI_URL: world.loki,
    KYVERNO: "off",
    RECTIFY_DATA: directory,
  };
  const settings = backtestSettings(environment, world.repository);
  if (!settings.ok) throw new Error(settings.problems.join());
  const [lines, progress]: [string[], string[]] = [[], []];
  const before = world.asked.length;
  const options = {
    days: "3",
    rate: "0",
    until: world.to.toISOString(),
    record,
    repository: world.repository,
    ...asked,
  };
  const voice = {
    write: (line: string) => void lines.push(line),
    progress: (line: string) => void progress.push(line),
  };
  const code = await backtest(options, settings.value, { ...voice, now: () => world.to });
  return { code, lines, progress, questions: world.asked.length - before };
}

describe("rectify backtest", () => {
  test("tells a past without guardrails and App, and goes on where it was stopped", async () => {
    const first = await run({ html });
    expect([first.code, first.lines.join("\n")]).toEqual([0, expect.stringContaining("2 earlier")]);
    expect(first.lines.join("\n")).toContain("namespaces: [shop]");
    expect(first.progress.join()).toContain("2 of 2 incidents");
    const page = readFileSync(html, "utf8");
    expect(page).toContain("Guardrails to begin with");
    expect(page).not.toMatch(/<script|src=|href="http/);

    // As if it had been killed in the middle of its last line.
    const lines = readFileSync(record, "utf8").trimEnd().split("\n");
    writeFileSync(record, `${lines.slice(0, 2).join("\n")}\n`);
    appendFileSync(record, lines[2]?.slice(0, 50) ?? "");
    const again = await run({ json: true });
    expect(again.progress.join()).toContain("2 incidents, 1 on record");
    expect(again.questions).toBeLessThan(first.questions);
    const report = JSON.parse(again.lines.join("")) as { incidents: number; verdicts: object; records: object[] };
    expect(report).toMatchObject({ incidents: 2, verdicts: { earlier: 2 } });

    const last = await run();
    expect(last.questions).toBeLessThan(again.questions);
  }, 120_000);

  test("other guardrails begin the record anew", async () => {
    const guardrails = join(directory, "tried.yml");
    writeFileSync(guardrails, "namespaces: [elsewhere]\n");
    const tried = await run({ guardrails });
    expect(tried.lines.join("\n")).toContain("2 refused");
    expect(tried.lines.join("\n")).toContain("namespaces: [shop]");
  }, 120_000);

  test("says what is wrong with its options", async () => {
    await expect(run({ days: "0" })).rejects.toThrow("--days");
    await expect(run({ rate: "-1" })).rejects.toThrow("--rate");
    await expect(run({ until: "yesterday" })).rejects.toThrow("--until");
  });
});
