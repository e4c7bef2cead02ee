import { describe, expect, test } from "vitest";
import { parseGuardrails, renderDefaultGuardrails } from "../../../src/domain/guardrails/guardrails.ts";
import { isInShadow, isShadowOnly, modeFor, type Modes } from "../../../src/domain/guardrails/mode.ts";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { gate } from "../../../src/flow/gate/gate.ts";
import type { Observed } from "../../../src/flow/collect/collect.ts";
import { learn } from "../../../src/flow/learn.ts";
import { tellPeople, type ToldChange } from "../../../src/flow/propose/tell-people.ts";
import { closed, shadowedIn, shadowOutcome } from "../../../src/flow/workflows/shadow.ts";
import { wouldHave } from "../../../src/flow/workflows/would-have.ts";
import { remediateIncident } from "../../../src/flow/workflows/remediate-incident.ts";
import { parseYaml } from "../../../src/manifests/yaml/yaml.ts";
import { Refused, Unavailable } from "../../../src/ports/errors.ts";
import type { CommitMark, GitHost, People } from "../../../src/ports/github.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { readOnly } from "../../../src/ports/read-only.ts";
import type { Run } from "../../../src/ports/workflow.ts";
import { anAlert, anIncident } from "../../builders.ts";
import { aCase, gatePorts, aPlan } from "../../plan.ts";
import { aDeployment } from "../../policies.ts";

const writingOfHost = [
  ...(["publish", "report", "keepIssue", "mark", "merge", "leaveQueue", "close", "withdraw"] as const),
];
const reading = [
  ...(["head", "at", "commitsSince", "contains", "openIssuesWithLabel", "ownIssue", "look", "openProposals"] as const),
];

/** A code host that only remembers what reached it. */
function effectLog() {
  const effects: string[] = [];
  const heard = (name: string) => async () => void effects.push(name);
  const github = Object.fromEntries([...writingOfHost, ...reading].map((name) => [name, heard(name)]));
  const people = Object.fromEntries(["react", "comment", "permissionOf"].map((name) => [name, heard(name)]));
  const store = { begin: heard("begin"), ask: heard("ask"), record: heard("record"), settle: heard("settle") };
  const ports = {
    ...{ github: github as unknown as GitHost, people: people as unknown as People },
    ...{ queue: store, leases: store, rollbacks: store, changes: store, guardrailsHost: { check: heard("check") } },
    notifier: { tell: heard("tell") },
  } as unknown as Ports;
  return { effects, ports };
}

describe("ports that are closed for writing", () => {
  test("every writing method refuses, and nothing of it leaves", async () => {
    const { effects, ports } = effectLog();
    const shut = readOnly(ports);
    for (const name of writingOfHost)
      await expect((shut.github[name] as () => Promise<unknown>)()).rejects.toThrow(Refused);
    await expect(shut.people.react(1, "+1")).rejects.toThrow(Refused);
    await expect(shut.changes?.record({} as never)).rejects.toThrow(Refused);
    const { guardrailsHost, queue, leases, rollbacks, notifier } = shut;
    expect({ guardrailsHost, queue, leases, rollbacks, notifier }).toEqual({});
    expect(effects).toEqual([]);
  });

  test("every reading method still asks", async () => {
    const { effects, ports } = effectLog();
    const shut = readOnly(ports);
    for (const name of reading) await (shut.github[name] as () => Promise<unknown>)();
    expect(effects).toEqual([...reading]);
  });

  test("each step of a closed run is given them", async () => {
    const { effects, ports } = effectLog();
    const run = { step: async (_: string, work: (given: Ports) => unknown) => work(ports) } as unknown as Run;
    await expect(closed(run).step("any", ({ github }) => github.mark("a", true))).rejects.toThrow(Refused);
    expect(effects).toEqual([]);
  });
});

const payments = { ...anIncident().workload, namespace: "payments" };

test.each<[string, string, ("slack" | "webhook")[], ToldChange?]>([
  ["live", "mode: live\nnotify: { slack: true }\n", ["slack"]],
  ["shadow", "mode: shadow\nnotify: { slack: true }\n", []],
  ["shadow for its namespace", "modes: [{ namespace: shop-*, mode: shadow }]\nnotify: { slack: true }\n", []],
  ["shadow elsewhere", "modes: [{ namespace: other, mode: shadow }]\nnotify: { slack: true }\n", ["slack"]],
  ...(["scale", "resources"] as const).map((kind): [string, string, ("slack" | "webhook")[], ToldChange] => [
    `shadow for scale, about ${kind}`,
    "modes: [{ remedy: scale, mode: shadow }]\nnotify: { slack: true }\n",
    kind === "scale" ? [] : ["slack"],
    { kind, workload: anIncident().workload },
  ]),
  [
    "shadow for the namespace of what is changed",
    "modes: [{ namespace: payments, mode: shadow }]\nnotify: { slack: true }\n",
    [],
    { kind: "scale", workload: payments },
  ],
])("chat of a repository whose mode is %s", async (_, guardrails, wanted, change) => {
  const told: string[] = [];
  const tree = treeOf({ ".github/rectify.yml": guardrails });
  await tellPeople({ kind: "ended", incident: anIncident(), text: "shadow: healed" }, change, {
    github: { head: async () => ({ sha: "a", tree }) } as unknown as GitHost,
    notifier: { tell: (_notice, channels) => void told.push(...channels) },
    clock: { now: () => new Date() },
  });
  expect(told).toEqual(wanted);
});

test.each(["scale", "resources"] as const)(
  "how an incident of scale ended is told with %s in shadow mode",
  async (remedy) => {
    const told: string[] = [];
    const text = JSON.stringify({ modes: [{ remedy, mode: "shadow" }], notify: { slack: true } });
    const { remediation, effect, entry } = aPlan(4);
    const outcome = { ending: "refused", because: "it may not", remediation, effect, entry } as const;
    const ports = {
      github: { head: async () => ({ sha: "a", tree: treeOf({ ".github/rectify.yml": text }) }) },
      records: { withdrawals: async () => [], endIncident: async () => undefined },
      notifier: { tell: (_notice: unknown, channels: readonly string[]) => void told.push(...channels) },
      ...{ clock: { now: () => new Date() }, telemetry: { log: () => undefined }, sealKey: "a key" },
    };
    await learn(anIncident(), { outcome, evidence: [] }, ports as unknown as Ports);
    expect(told).toEqual(remedy === "scale" ? [] : ["slack"]);
  },
);

describe("which incidents are in shadow mode", () => {
  const shop = { namespace: "shop", alert: "HighLatency", remedy: "scale" } as const;
  const rules = (modes: Modes["modes"], mode: Modes["mode"] = "shadow"): Modes => ({ mode, modes });

  test("the first rule that fits decides, else the whole file", () => {
    const live = { namespace: "shop", alert: "High*", remedy: "scale", mode: "live" } as const;
    expect(modeFor(rules([live]), shop)).toBe("live");
    expect(modeFor(rules([live]), { ...shop, remedy: "resources" })).toBe("shadow");
    expect(modeFor(rules([live]), { ...shop, remedy: undefined })).toBe("shadow");
    expect(modeFor(rules([live]), { ...shop, namespace: "shop-2" })).toBe("shadow");
    const first = { namespace: "*", alert: "*", mode: "shadow" } as const;
    expect(modeFor(rules([first, live], "live"), shop)).toBe("shadow");
  });

  test("either namespace is enough, and an unknown remedy is in shadow mode where each one is", () => {
    const payments = rules([{ namespace: "payments", alert: "*", mode: "shadow" }], "live");
    const namespaces = ["shop", "payments"];
    for (const order of [namespaces, [...namespaces].reverse()])
      expect(isInShadow(payments, { alert: "A", namespaces: order, remedy: "scale" })).toBe(true);
    expect(isInShadow(payments, { alert: "A", namespaces: ["shop"], remedy: "scale" })).toBe(false);
    const but = rules([{ namespace: "shop", alert: "*", remedy: "scale", mode: "live" }]);
    const about = { alert: "A", namespaces: ["shop"] };
    expect(isInShadow(but, { ...about, remedy: undefined })).toBe(false);
    expect(isInShadow(but, { ...about, remedy: "resources" })).toBe(true);
    expect(isInShadow(but, { ...about, remedy: "none" })).toBe(true);
    expect(isInShadow(rules([]), { ...about, remedy: undefined })).toBe(true);
  });

  test("a file that says nothing is live, the one to begin with is shadow everywhere", () => {
    const read = (text: string) => {
      const yaml = parseYaml(text);
      const guardrails = yaml.ok ? parseGuardrails(yaml.value) : undefined;
      if (!guardrails?.ok) throw new Error("the file cannot be read");
      return guardrails.value;
    };
    expect(isShadowOnly(read("namespaces: [shop]\n"))).toBe(false);
    expect(isShadowOnly(read(renderDefaultGuardrails(["shop"])))).toBe(true);
    expect(isShadowOnly(read("mode: shadow\nmodes: [{ alert: A, mode: live }]\n"))).toBe(false);
    expect(isShadowOnly(read("modes: [{ alert: A, mode: shadow }, { mode: shadow }]\n"))).toBe(true);
    expect(isShadowOnly(read("modes: [{ alert: A, mode: live }, { mode: shadow }]\n"))).toBe(false);
    expect(isShadowOnly(read("modes: [{ remedy: scale, mode: shadow }]\n"))).toBe(false);
    expect(isShadowOnly(read("mode: shadow\nmodes: [{ mode: live }, { mode: shadow }]\n"))).toBe(false);
  });

  test("a misspelled mode is an error, so nothing is written", () => {
    expect(parseGuardrails({ mode: "shadows" }).ok).toBe(false);
    expect(parseGuardrails({ modes: [{ namespaces: "shop", mode: "live" }] }).ok).toBe(false);
  });
});

test.each([
  ["the alert's", "shop-production"],
  ["the changed workload's", "payments"],
])("the gate refuses where %s namespace is in shadow mode", async (_, namespace) => {
  const guardrails = { namespaces: ["shop-production", "payments"], modes: [{ namespace, mode: "shadow" }] };
  const plan = aPlan(4);
  const workload = { ...plan.remediation.workload, namespace: "payments" };
  const elsewhere = { ...plan, remediation: { ...plan.remediation, workload } };
  const answer = await gate(aCase(), elsewhere, gatePorts({ guardrails }));
  expect(answer).toMatchObject({ kind: "refused", because: expect.stringContaining("shadow mode") });
});

test("where no namespace is named, shadow mode looks at all, and live changes none; where some are, only at those", async () => {
  const looks = aCase({ hypothetical: true });
  const none = { namespaces: [], mode: "shadow" };
  expect(await gate(looks, aPlan(4), gatePorts({ guardrails: none }))).toMatchObject({ kind: "passed" });
  for (const [asked, guardrails] of [
    [aCase(), { namespaces: [], mode: "live" }],
    [looks, { namespaces: ["elsewhere"], mode: "shadow" }],
  ] as const)
    expect(await gate(asked, aPlan(4), gatePorts({ guardrails }))).toMatchObject({
      kind: "refused",
      because: expect.stringContaining("(guardrails: namespaces)"),
    });
});

test("the gate refuses whatever comes to it on another way, and says what it would say", async () => {
  const ports = gatePorts({ guardrails: { mode: "shadow" } });
  expect(await gate(aCase(), aPlan(4), ports)).toMatchObject({
    kind: "refused",
    because: expect.stringContaining("shadow mode"),
  });
  expect(await gate(aCase({ hypothetical: true }), aPlan(4), ports)).toMatchObject({ kind: "passed" });
});

describe("an incident in shadow mode", () => {
  const begun = Date.parse("2026-11-24T02:00:00.000Z");
  const manifest = (replicas: number) => JSON.stringify(aDeployment("web", { replicas }));
  const trees: Record<string, string> = { a: manifest(2), b: manifest(4) };
  const guardrails = JSON.stringify({ namespaces: ["shop-production"], mode: "shadow" });

  function world(commits: readonly CommitMark[]) {
    let now = begun + 30_000;
    const effects: string[] = [];
    const tree = (sha: string) => treeOf({ "apps/web.yaml": trees[sha] ?? "", ".github/rectify.yml": guardrails });
    const writing = Object.fromEntries(writingOfHost.map((name) => [name, async () => void effects.push(name)]));
    const entry = { tool: "flux", path: "apps" } as const;
    const github = {
      ...{
        ...writing,
        at: async (sha: string) => tree(sha.slice(0, 1)),
        head: async () => ({ sha: "b", tree: tree("b") }),
      },
      commitsSince: async () => commits,
    };
    const resolved = () => (now - begun > 1_800_000 ? "resolved" : "firing");
    const ports = {
      ...gatePorts({}),
      ...{ github, people: {}, cluster: { workload: async () => ({}), entryOf: async () => entry } },
      ...{ clock: { now: () => new Date(now) }, timings: { selfHealMs: 600_000 } },
      records: { ...gatePorts({}).records, alertsOf: async () => [anAlert({ status: resolved() })] },
    } as unknown as Ports;
    const run: Run = {
      timings: { pollMs: 60_000, lingerMs: 300_000, decideTimeoutMs: 7_200_000 } as Run["timings"],
      step: async (_, work) => work(ports),
      few: (_severity, work) => work(),
      message: async (ms) => {
        now += ms;
        return undefined;
      },
    };
    return { run, effects };
  }

  const observed = { evidence: [] } as unknown as Observed;
  const planned = aPlan(4);
  const told = (run: Run) =>
    shadowOutcome(
      { incident: anIncident(), observed, remedy: "scale", would: (ports) => wouldHave(aCase(), planned, ports) },
      run,
    );

  test("ends with what people did, and wrote nothing", async () => {
    const at = new Date(begun + 1_200_000).toISOString();
    const { run, effects } = world([{ sha: "b".repeat(40), parent: "a".repeat(40), at }]);
    const outcome = await told(run);
    expect(outcome).toMatchObject({ ending: "shadow", shadow: { verdict: { kind: "earlier", leadMs: 1_170_000 } } });
    expect(outcome.shadow?.would).toMatchObject({ kind: "proposed", remedy: "scale", to: 4 });
    expect(effects).toEqual([]);
  });

  test("Rectify's own commit is not taken for one of people", async () => {
    const at = new Date(begun + 1_200_000).toISOString();
    const { run } = world([{ sha: "b".repeat(40), parent: "a".repeat(40), at, own: true }]);
    expect((await told(run)).shadow?.verdict).toMatchObject({ kind: "not-known", commit: "b".repeat(40) });
  });

  test("a commit to what a chart makes of it is not called healed by itself", async () => {
    const release = { apiVersion: "helm.toolkit.fluxcd.io/v2", kind: "HelmRelease", metadata: { name: "web" } };
    const of = (replicas: number) => treeOf({ "apps/web.yaml": JSON.stringify({ ...release, spec: { replicas } }) });
    const at = new Date(begun + 1_200_000).toISOString();
    const { run } = world([{ sha: "b".repeat(40), parent: "a".repeat(40), at }]);
    const step: Run["step"] = (name, work) =>
      run.step(name, (ports) =>
        work({ ...ports, github: { ...ports.github, at: async (sha: string) => of(sha.startsWith("b") ? 4 : 2) } }),
      );
    const verdict = (await told({ ...run, step })).shadow?.verdict;
    expect(verdict).toMatchObject({ kind: "not-known", because: expect.stringContaining("rendering of its entry") });
  });

  test("ends as healed by itself where nobody did anything", async () => {
    const { run, effects } = world([]);
    expect((await told(run)).shadow?.verdict.kind).toBe("healed-by-itself");
    expect(effects).toEqual([]);
  });

  test.each([
    ["all of it", { mode: "live" }, 0, "refused"],
    ["its remedy", { mode: "shadow", modes: [{ remedy: "scale", mode: "live" }] }, 0, "refused"],
    ["another remedy", { mode: "shadow", modes: [{ remedy: "resources", mode: "live" }] }, 0, "shadow"],
    ["all of it, in a file that nobody can read", { mode: "live", modes: 7 }, 0, "shadow"],
    ["all of it, after the alert resolved", { mode: "live" }, 1_830_000, "shadow"],
  ])("switched to live while it is looked at: %s", async (_, guardrailsThen, afterMs, ending) => {
    const { run, effects } = world([]);
    const looked: number[] = [];
    const step: Run["step"] = (name, work) =>
      run.step(name, async (ports) => {
        if (name !== "shadow look") return work(ports);
        const now = ports.clock.now().getTime();
        looked.push(now);
        const text = now - begun >= afterMs && looked.length > 1 ? JSON.stringify(guardrailsThen) : guardrails;
        const tree = treeOf({ ".github/rectify.yml": text });
        return work({ ...ports, github: { ...ports.github, head: async () => ({ sha: "c", tree }) } });
      });
    const outcome = await told({ ...run, step });
    expect(outcome.ending).toBe(ending);
    if (ending === "refused") {
      expect(outcome.because).toContain("shadow mode was switched off");
      expect(looked).toHaveLength(2);
    }
    expect(effects).toEqual([]);
  });

  /** The steps of one incident whose guardrails nobody could read while its evidence was collected. */
  async function stepsWith(head?: GitHost["head"], steps: string[] = []): Promise<readonly string[]> {
    const { run } = world([]);
    const away = { head: () => Promise.reject(new Unavailable("git is away")) } as unknown as GitHost;
    const shadowed = await shadowedIn(anIncident(), { github: away });
    const canned: Readonly<Record<string, unknown>> = {
      collect: { evidence: [], shadowed },
      recall: { lines: [] },
      diagnose: { kind: "abstained", because: "nothing stands out" },
      learn: true,
    };
    const step: Run["step"] = async (name, work) => {
      steps.push(name);
      if (canned[name] !== undefined) return canned[name] as never;
      return run.step(name, (ports) =>
        work(head === undefined ? ports : { ...ports, github: { ...ports.github, head } }),
      );
    };
    await remediateIncident(anIncident(), { ...run, timings: { ...run.timings, settleMs: 60_000 }, step });
    return steps;
  }

  test("guardrails that could not be read at first are read again, and shadow what they shadow", async () => {
    const steps = await stepsWith();
    expect(steps).toEqual(expect.arrayContaining(["shadow mode", "shadow verdict", "learn"]));
    expect(steps).not.toContain("gate");
  });

  test("what the plan step finds in shadow mode, a switch meanwhile or another namespace, goes on as shadow", async () => {
    const steps: string[] = [];
    const { run } = world([]);
    const cause = { id: "c", kind: "saturation", sentence: "web is saturated", citing: [], confidence: 0.9, score: 1 };
    const remedy = { kind: "change", remediation: aPlan(4).remediation };
    const canned: Readonly<Record<string, unknown>> = {
      collect: { evidence: [] },
      recall: { lines: [] },
      diagnose: { kind: "diagnosed", cause, causes: [], confidence: 0.9, missing: [], witnesses: "agree", remedy },
      plan: { ...aPlan(4), shadowed: true },
      learn: true,
    };
    const step: Run["step"] = async (name, work) => {
      steps.push(name);
      return canned[name] === undefined ? run.step(name, work) : (canned[name] as never);
    };
    await remediateIncident(anIncident(), { ...run, step });
    expect(steps).toEqual(expect.arrayContaining(["plan", "shadow", "shadow verdict", "learn"]));
    expect(steps.filter((name) => ["queue", "gate", "propose"].includes(name))).toEqual([]);
  });

  test("while they cannot be read nothing becomes live: the step waits for them", async () => {
    const steps: string[] = [];
    const away = () => Promise.reject(new Unavailable("git is away"));
    await expect(stepsWith(away, steps)).rejects.toThrow(Unavailable);
    expect(steps.at(-1)).toBe("shadow mode");
  });
});
