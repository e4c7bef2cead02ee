import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { backtest } from "../../../src/commands/backtest/backtest.ts";
import type { BacktestAsked } from "../../../src/commands/backtest/options.ts";
import { openRecord, worldOf } from "../../../src/commands/backtest/record-file.ts";
import { summaryLines } from "../../../src/commands/backtest/summary.ts";
import { backtestSettings, mayKnowToken } from "../../../src/commands/backtest/sources.ts";
import { createSeriesStore } from "../../../src/lab/cluster/metrics/series-store.ts";
import { serveApi } from "../../../src/lab/cluster/servers/api-server.ts";
import { prometheusAnswer } from "../../../src/lab/cluster/servers/prometheus-api.ts";
import { forgeWrites } from "../../../src/lab/forge/writes.ts";
import { pastTroubles, pastWorkloads } from "../../../src/lab/scenarios/backtest/past-troubles.ts";
import { openPastWorld, type PastWorldServers } from "../../../src/lab/scenarios/backtest/past-world.ts";
import { declaredFirst, manifestOf } from "../../../src/lab/scenarios/backtest/past-repository.ts";
import { openReadingForge, type ReadingForge } from "../../../src/lab/scenarios/backtest/reading-forge.ts";
import type { PastRecord } from "../../../src/domain/backtest/record.ts";
import type { BacktestReport } from "../../../src/domain/backtest/report.ts";
import { parseGuardrails } from "../../../src/domain/guardrails/guardrails.ts";
import type { RenderedObject } from "../../../src/domain/kubernetes/rendered.ts";
import { parseYaml } from "../../../src/manifests/yaml/yaml.ts";
import { openShop, type TestShop } from "../../lab/cluster-shop.ts";

const directory = mkdtempSync(join(tmpdir(), "rectify-backtest-"));
const record = join(directory, "record.jsonl");
const html = join(directory, "report.html");
let world: PastWorldServers;
let reading: ReadingForge;
let shop: TestShop;

beforeAll(async () => {
  const troubles = pastTroubles.slice(0, 2);
  world = await openPastWorld({ directory, days: 3, troubles, files: secondPlace, remembers: true });
  reading = await openReadingForge(join(directory, "forge"), world.repository);
  shop = await openShop({
    desired: async () => ({ revision: "1".repeat(40), objects: pastWorkloads.map((one) => objectOf(one)) }),
    entry: { object: "Kustomization flux-system/apps", path: "./apps" },
  });
  vi.stubEnv("GITHUB_TOKEN", reading.token);
}, 120_000);

function objectOf(workload: (typeof pastWorkloads)[number]): RenderedObject {
  const read = parseYaml(manifestOf(workload.name, declaredFirst(workload)));
  if (!read.ok) throw new Error(read.problem);
  return read.value as RenderedObject;
}

// Two places that may have made a workload: the live object is asked which it is.
const secondPlace = {
  "staging/kustomization.yaml": "resources: [web.yaml, catalog.yaml]\n",
  "staging/web.yaml": manifestOf("web", { replicas: 2, tag: "1.0.0", memory: "256Mi" }),
  "staging/catalog.yaml": manifestOf("catalog", { replicas: 2, tag: "1.0.0", memory: "256Mi" }),
  "clusters/staging/apps.yaml": `apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: { name: apps-2, namespace: flux-system }
spec: { path: ./staging, prune: true, sourceRef: { kind: GitRepository, name: flux-system } }
`,
};

afterAll(async () => {
  vi.unstubAllEnvs();
  await shop.cluster.close();
  await reading.forge.close();
  await world.close();
  rmSync(directory, { recursive: true, force: true });
});

async function run(
  asked: { readonly [Option in keyof BacktestAsked]?: BacktestAsked[Option] | undefined } = {},
  more: NodeJS.ProcessEnv = {},
) {
  const environment = {
    PROMETHEUS_URL: world.prometheus,
    LOKI_URL: world.loki,
    ...{ KYVERNO: "off", KUBERNETES_URL: shop.cluster.urls.kubernetes },
    ...more,
    RECTIFY_DATA: directory,
  };
  const options = {
    days: "3",
    ...{ rate: "0", step: "30" },
    until: world.to.toISOString(),
    record,
    repository: reading.forge.cloneUrl,
    ...asked,
  };
  const settings = backtestSettings(environment, options.repository);
  if (!settings.ok) throw new Error(settings.problems.join());
  const [lines, progress]: [string[], string[]] = [[], []];
  const before = world.asked.length;
  const output = {
    write: (line: string) => void lines.push(line),
    progress: (line: string) => void progress.push(line),
  };
  const code = await backtest(options as BacktestAsked, settings.value, { ...output, now: () => world.to });
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

  test("by the App, whose installation may only read, it finds the same", async () => {
    const byApp = {
      ...{ APP_ID: String(reading.app.id), PRIVATE_KEY: reading.app.privateKey },
      ...{ RECTIFY_REPOSITORY: "rectify-lab/past", GITHUB_API_URL: reading.forge.apiUrl },
    };
    const asked = { repository: undefined, record: join(directory, "app.jsonl") };
    const { code, lines } = await run(asked, byApp);
    expect([code, lines.join("\n")]).toEqual([0, expect.stringContaining("2 earlier")]);
    const wrong = { ...byApp, RECTIFY_REPOSITORY: "rectify-lab/elsewhere" };
    await expect(run(asked, wrong)).rejects.toThrow("the App is not installed on rectify-lab/elsewhere");
  }, 120_000);

  test("other guardrails begin the record anew", async () => {
    const guardrails = join(directory, "tried.yml");
    writeFileSync(guardrails, "namespaces: [elsewhere]\n");
    const tried = await run({ guardrails });
    expect(tried.lines.join("\n")).toContain("2 refused");
    expect(tried.lines.join("\n")).toContain("namespaces: [shop]");
  }, 120_000);

  test("says which source gave no answer, keeps nothing of what it made incomplete, and goes on when it is back", async () => {
    const fresh = join(directory, "silent.jsonl");
    const silent = await run({ record: fresh }, { LOKI_URL: "http://127.0.0.1:9" });
    expect(silent.code).toBe(1);
    expect(silent.lines.join("\n")).toMatch(/2 incidents found no answer[\s\S]*without an answer: Loki /);
    expect(readFileSync(fresh, "utf8").trimEnd().split("\n")).toHaveLength(1);
    const back = await run({ record: fresh });
    expect([back.code, back.lines.join("\n")]).toEqual([0, expect.stringContaining("2 earlier")]);
  }, 120_000);

  test.each([
    ["PROMETHEUS_URL", 401, "/api/v1/query_range", "PROMETHEUS_TOKEN"],
    ["LOKI_URL", 403, "/loki/api/v1/query_range", "LOKI_TOKEN"],
    ["LOKI_URL", 404, "/loki/api/v1/query_range", "LOKI_URL must be the address"],
    ["LOKI_URL", 200, "/loki/api/v1/query_range", "LOKI_URL must be the address"],
  ])(
    "a %s that answers %i ends the run with the setting, and is no evidence",
    async (name, status, path, helps) => {
      const kept = join(directory, `denied-${name}-${status}.jsonl`);
      let asked = 0;
      const server = createServer((_, response) => {
        asked += 1;
        response.writeHead(status, { "content-type": "text/html" }).end("<p>log in</p>");
      });
      await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
      const { port } = server.address() as AddressInfo;
      const denied = run({ record: kept }, { [name]: `http://127.0.0.1:${port}` });
      await expect(denied).rejects.toThrow(path);
      await expect(denied).rejects.toThrow(helps);
      server.close();
      // Those that were on their way together, and none after them.
      expect(asked).toBeLessThan(20);
      if (name === "LOKI_URL") {
        await expect(denied).rejects.toThrow("run it again, and it goes on there");
        expect(readFileSync(kept, "utf8").trimEnd().split("\n")).toHaveLength(1);
        expect((await run({ record: kept })).lines.join("\n")).toContain("2 earlier");
      }
    },
    120_000,
  );

  test("says why a past is empty, and where its history begins", async () => {
    const store = createSeriesStore(Number.MAX_SAFE_INTEGER);
    const begun = world.to.getTime() - 86_400_000;
    for (let at = begun; at < world.to.getTime(); at += 60_000)
      store.append("self", at, [{ name: "up", labels: { job: "prometheus" }, value: 1 }]);
    const state = { store, now: () => world.to.getTime(), lookbackMs: 300_000, rules: [], alerts: () => [] };
    const server = await serveApi((request) => prometheusAnswer(state, request));
    const { code, lines } = await run({ record: join(directory, "empty.jsonl") }, { PROMETHEUS_URL: server.url });
    await server.close();
    expect(code).toBe(0);
    expect(lines.join("\n")).toContain("ALERTS has no series in that time");
    expect(lines.join("\n")).toMatch(/its history begins at 2026-11-19T0[01]:[\s\S]*storage\.tsdb\.retention/);
  }, 60_000);

  test.each([
    ["https://github.com/acme/shop", true],
    ["https://git.acme.com/acme/shop", true],
    ["http://127.0.0.1:3000/acme/shop", true],
    ["http://github.com/acme/shop", false],
    ["https://github.com.example/acme/shop", false],
    ["https://gitlab.com/acme/shop", false],
  ])("whether %s learns GITHUB_TOKEN: %s", (address, learns) => {
    const github = { apiUrl: "https://api.github.com", cloneUrl: "https://git.acme.com/acme/shop", writeGapMs: 0 };
    expect(mayKnowToken(new URL(address), { github })).toBe(learns);
  });

  test("another repository, and what still fired, begin anew", async () => {
    const kept = join(directory, "kept.jsonl");
    await run({ record: kept });
    const [head = "", ...records] = readFileSync(kept, "utf8").trimEnd().split("\n");
    const firing = records.map((line, index) => (index > 0 ? line : line.replace(/"endedAt":"[^"]*",?/, "")));
    writeFileSync(kept, `${[head, ...firing].join("\n")}\n`);
    expect((await run({ record: kept })).progress.join()).toContain("2 incidents, 1 on record");
    const elsewhere = await run({ record: kept, repository: `${reading.forge.cloneUrl}/` });
    expect(elsewhere.progress.join()).toContain("2 incidents, 0 on record");
  }, 120_000);

  test("whatever else an answer depends on begins the record anew, and what lets us in does not", async () => {
    const onRecord = (more: NodeJS.ProcessEnv) => {
      const environment = { PROMETHEUS_URL: world.prometheus, KYVERNO: "off", ...more };
      const settings = backtestSettings(environment, "/clone");
      if (!settings.ok) throw new Error(settings.problems.join());
      const kept = join(directory, "settings.jsonl");
      const about = { asked: { repository: "/clone" }, guardrails: "namespaces: [shop]\n", stepSeconds: 30 };
      return openRecord(kept, worldOf(settings.value, about));
    };
    const [record = ""] = readFileSync(join(directory, "kept.jsonl"), "utf8").split("\n").slice(1);
    const others = [
      { LOKI_URL: world.loki },
      { LOKI_URL: world.loki, LOKI_HEADERS: "X-Scope-OrgID=shop" },
      { KYVERNO: "" },
      { CHART_HOSTS: "charts.example.com" },
      { CLUSTER_LABEL: "cluster" },
      { KUBERNETES_URL: shop.cluster.urls.kubernetes },
      ...["LINGER_MS", "SETTLE_MS", "SELF_HEAL_MS", "HISTORY_MS"].map((name) => ({ [name]: "60000" })),
    ];
    for (const more of others) {
      onRecord({}).add(JSON.parse(record) as PastRecord);
      expect([onRecord({}).all().length, more, onRecord(more).all().length]).toEqual([1, more, 0]);
    }
    const secrets = { PROMETHEUS_TOKEN: "t0ken", PROMETHEUS_HEADERS: "X-Auth-Token=t0ken" };
    onRecord({}).add(JSON.parse(record) as PastRecord);
    expect(onRecord(secrets).all()).toHaveLength(1);
  });

  test("says what is wrong with its options", async () => {
    await expect(run({ days: "0" })).rejects.toThrow("--days");
    await expect(run({ rate: "-1" })).rejects.toThrow("--rate");
    // A variable that is not set is no wish for no limit.
    await expect(run({ rate: "" })).rejects.toThrow("--rate");
    await expect(run({ until: "yesterday" })).rejects.toThrow("--until");
    await expect(run({ step: "0" })).rejects.toThrow("--step");
    await expect(run({ repository: join(directory, "nowhere") })).rejects.toThrow("--repository: there is no ");
    const before = world.asked.length;
    await expect(run({ guardrails: join(directory, "no.yml") })).rejects.toThrow(/^--guardrails: \S+ does not exist/);
    await expect(run({ guardrails: directory })).rejects.toThrow(/^--guardrails: \S+ is a directory/);
    await expect(run({ record: directory })).rejects.toThrow(/^--record: \S+ is a directory/);
    await expect(run({ html: directory })).rejects.toThrow(/^--html: \S+ is a directory/);
    await expect(run({ html: join(record, "page.html") })).rejects.toThrow(/^--html: \S+ cannot be written/);
    const invalid = join(directory, "invalid.yml");
    writeFileSync(invalid, "namespaces: [shop]\nmaxReplicas: many\n");
    await expect(run({ guardrails: invalid })).rejects.toThrow(/^--guardrails: .*invalid\.yml:2: maxReplicas/);
    expect(world.asked.length).toBe(before);
  });

  test("a repository that cannot be fetched is named, with git's reason and what to do", async () => {
    const [progress, fresh] = [[] as string[], join(directory, "unreachable")];
    const environment = { PROMETHEUS_URL: world.prometheus, KYVERNO: "off", RECTIFY_DATA: fresh };
    const repository = "http://someone:hunter2-hunter2@127.0.0.1:9/acme/shop.git";
    const settings = backtestSettings(environment, repository);
    if (!settings.ok) throw new Error(settings.problems.join());
    const output = {
      write: () => undefined,
      progress: (line: string) => void progress.push(line),
      now: () => world.to,
    };
    const asked = { days: "1", rate: "0", step: "30", repository };
    const failed = backtest(asked, settings.value, output);
    await expect(failed).rejects.toThrow(
      /^git: http:\/\/127\.0\.0\.1:9\/acme\/shop\.git could not be fetched: .*GITHUB_TOKEN/,
    );
    await expect(failed).rejects.not.toThrow("hunter2");
    const away = { PROMETHEUS_URL: "http://127.0.0.1:9" };
    await expect(run({}, away)).rejects.toThrow(/^Prometheus .*: PROMETHEUS_URL \(http:\/\/127\.0\.0\.1:9\) must be/);
    // The error begins on a line of its own.
    expect(progress.at(-1)).toBe("");
  });

  test("an address of Prometheus alone is asked for a repository, and not for an App", () => {
    const told = (environment: NodeJS.ProcessEnv) => {
      const read = backtestSettings(environment, undefined);
      return read.ok ? [] : read.problems;
    };
    const alone = told({ PROMETHEUS_URL: "http://127.0.0.1:9090" });
    expect(alone).toEqual([expect.stringMatching(/--repository .*APP_ID, PRIVATE_KEY_PATH, RECTIFY_REPOSITORY/)]);
    expect(told({})).toHaveLength(2);
    const half = told({ PROMETHEUS_URL: "http://127.0.0.1:9090", APP_ID: "7" });
    expect(half.join()).toContain("PRIVATE_KEY");
    expect(half.join()).not.toContain("--repository");
  });

  test("its summary fits a terminal of 80 columns, and its guardrails can be copied into the file", async () => {
    const { lines } = await run({ json: true });
    const {
      records,
      advice: _,
      ...report
    } = JSON.parse(lines.join("")) as BacktestReport & {
      records: PastRecord[];
      advice: unknown;
    };
    const gap = {
      kind: "no remedy",
      times: 1,
      what: "a long reason ".repeat(20),
      line: `helps: ${"this ".repeat(30)}`,
    };
    const summary = summaryLines({ ...report, gaps: [gap] } as unknown as BacktestReport, records);
    expect(summary.filter((line) => line.length > 80)).toEqual([]);
    expect(summary.join("\n")).toContain("once a long reason");
    expect(summary.join("\n")).not.toMatch(/\b1 (?:times|incidents)\b/);
    const file = summary.slice(summary.indexOf("Guardrails to begin with") + 1).join("\n");
    const read = parseYaml(file);
    expect(read.ok && parseGuardrails(read.value)).toMatchObject({ ok: true, value: { namespaces: ["shop"] } });
  }, 60_000);

  test("not one write request left it, and its token may only read", async () => {
    expect(reading.forge.gitCalls.length).toBeGreaterThan(0);
    expect(forgeWrites(reading.forge)).toEqual([]);
    expect(shop.cluster.writesAttempted).toEqual([]);
    expect(new Set(world.asked)).toEqual(new Set(["GET prometheus", "GET loki"]));
    const answer = await fetch(`${reading.forge.apiUrl}/repos/rectify-lab/past/issues`, {
      ...{ method: "POST", body: JSON.stringify({ title: "a write" }) },
      headers: { authorization: `Bearer ${reading.token}` },
    });
    expect(answer.status).toBe(403);
    expect(forgeWrites(reading.forge)).toHaveLength(1);
  });
});
