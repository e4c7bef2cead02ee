import { alertmanager } from "../../adapters/monitoring/alertmanager.ts";
import { kubernetes } from "../../adapters/kubernetes/kubernetes.ts";
import { loki } from "../../adapters/monitoring/loki.ts";
import { prometheus } from "../../adapters/monitoring/prometheus.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import { openIncident } from "../../domain/incident/incident.ts";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import { overlaid, type Tree, treeOf } from "../../domain/kubernetes/tree.ts";
import type { OutcomeSoFar } from "../../domain/proposal/outcome.ts";
import { remediateIncident } from "../../flow/workflows/remediate-incident.ts";
import { render } from "../../manifests/render/render.ts";
import type { Ports } from "../../ports/ports.ts";
import type { Run } from "../../ports/workflow.ts";
import { startCluster } from "../cluster/cluster.ts";
import { repositoryFiles } from "../repository.ts";
import { shopEntry } from "../world.ts";
import { edited } from "./edits.ts";
import type { FaultFile } from "./fault-file.ts";
import { nameOf } from "../../domain/root-cause/changes/name-of.ts";
import { answerTo, faultOf, guardrailsText, ruleOf, workloadOf } from "./lab-fault.ts";
import { quickHost } from "./quick-host.ts";

/** What one fault came to. */
export interface FaultRun {
  readonly outcome: OutcomeSoFar | undefined;
  /** What the diagnosis named first, by its name for people. */
  readonly cause: string | undefined;
  /** The commits of the scenario, oldest first, as they were made. */
  readonly commits: readonly string[];
  readonly files: readonly string[];
  readonly healed: boolean;
  readonly told: readonly string[];
}

const timings = {
  ...{ pollMs: 1_000, lookbackMs: 60_000, rateWindow: "5s", settleMs: 2_000, coolDownMs: 1_000, lingerMs: 1_500 },
  ...{ decideTimeoutMs: 60_000, syncTimeoutMs: 30_000, verifyTimeoutMs: 40_000, modelDeadlineMs: 20_000 },
  ...{ historyMs: 120_000, selfHealMs: 4_000 },
};

/** Runs a fault through the whole line in this process, in the time of the model: no engine, no clock, no waiting. */
export async function runQuickly(fault: FaultFile): Promise<FaultRun> {
  let now = () => new Date();
  const told: string[] = [];
  const host = quickHost(healthy(fault), () => now());
  const cluster = await startCluster({
    ...{ clock: "manual", tickMs: 500, scrapeMs: 1_000, rulesMs: 1_000, syncMs: 1_000, historyMs: 40_000 },
    desired: async () => {
      const { sha, tree } = host.tip();
      const rendered = render(tree, shopEntry);
      if (rendered.kind !== "rendered") throw new Error(`the repository cannot be rendered: ${rendered.because}`);
      return { revision: sha, objects: rendered.objects };
    },
    entry: { object: shopEntry.object ?? "", path: `./${shopEntry.path}` },
    rules: [ruleOf(fault)],
    fault: faultOf(fault),
  });
  now = () => cluster.now();
  try {
    await cluster.advance(3_000);
    const commits = await commitAll(fault, host, cluster);
    const alert = await firstAlert(cluster);
    if (alert === undefined) return { ...nothing, commits, told: ["the alert never fired"] };
    for (const commit of fault.commits.filter(({ later }) => later === true)) commits.push(make(commit, host));
    const ports = portsOf({ cluster, host, fault }, (line) => told.push(line));
    const incident = await incidentOf(ports, fault);
    if (incident === undefined) return { ...nothing, commits, told: ["the alert names no workload"] };
    const ended = await remediated(incident, ports, { cluster, host, fault });
    return { ...ended, commits, told, healed: cluster.firing().length === 0 };
  } finally {
    await cluster.close();
  }
}

const nothing = { outcome: undefined, cause: undefined, files: [], healed: false };

type Cluster = Awaited<ReturnType<typeof startCluster>>;
type Host = ReturnType<typeof quickHost>;

function healthy(fault: FaultFile): Tree {
  const files = { ...repositoryFiles("flux"), ".github/rectify.yml": guardrailsText(fault) };
  return overlaid(treeOf(files), edited(files, fault.setup));
}

async function commitAll(fault: FaultFile, host: Host, cluster: Cluster): Promise<string[]> {
  const made: string[] = [];
  for (const commit of fault.commits.filter(({ later }) => later !== true)) {
    await cluster.advance((commit.after ?? 2) * 1_000);
    made.push(make(commit, host));
  }
  return made;
}

function make({ message, author, edits }: FaultFile["commits"][number], host: Host): string {
  const { tree } = host.tip();
  const texts = Object.fromEntries(
    edits.flatMap(({ file }) => {
      const bytes = tree.read(file);
      return bytes === undefined ? [] : [[file, Buffer.from(bytes).toString("utf8")]];
    }),
  );
  return host.commit(overlaid(tree, edited(texts, edits)), { subject: message.split("\n")[0] ?? "", author });
}

const longestWait = 90;

async function firstAlert(cluster: Cluster) {
  for (let second = 0; second < longestWait; second += 1) {
    const [first] = cluster.firing();
    if (first !== undefined) return first;
    await cluster.advance(1_000);
  }
  return undefined;
}

function portsOf({ cluster, host, fault }: FaultWorld, tell: (line: string) => void): Ports {
  const { urls } = cluster;
  const at = (url: string) => ({ url, authorization: undefined, timeoutMs: 10_000 });
  return {
    ...{ github: host.github, people: host.people, records: quickRecords(), timings },
    cluster: kubernetes({ url: urls.kubernetes, token: "lab", cluster: "lab" }),
    metrics: prometheus(at(urls.prometheus)),
    logs: loki(at(urls.loki)),
    alerts: alertmanager(at(urls.alertmanager)),
    ...{ model: undefined, prompts: { diagnose: "", repair: "" }, random: () => "0".repeat(32), sealKey: "quick" },
    renderer: { render: async (tree: Tree, entry: Entry) => render(tree, entry) },
    concerns: { of: async () => ({ kind: "workload", workload: workloadOf(fault), way: "the file" }) },
    clock: { now: () => cluster.now() },
    withTimeout: <T>(_ms: number, work: Promise<T>) => work,
    telemetry: { log: (_incident: string, verb: string, text: string) => tell(`${verb}: ${text}`) },
  } satisfies Ports;
}

function quickRecords(): Ports["records"] {
  const pending = new Map<string, string>();
  return {
    audit: async () => undefined,
    saveCapsule: async () => undefined,
    recordPull: async () => undefined,
    parkedSince: async () => [],
    openIncidents: async () => [],
    shadowVerdicts: async () => [],
    lastPullOf: async () => undefined,
    changesSince: async () => 0,
    firingsSince: async () => 1,
    mergesSince: async () => [],
    alertsOf: async () => [],
    addPendingFile: async (path: string, content: string) => void pending.set(path, content),
    pendingFiles: async () => [...pending].map(([path, content]) => ({ path, content })),
    dropPendingFiles: async () => undefined,
    endIncident: async () => undefined,
    withdrawals: async () => [],
    withdraw: async () => undefined,
  } satisfies Ports["records"];
}

async function incidentOf({ alerts }: Ports, fault: FaultFile): Promise<Incident | undefined> {
  const [alert] = await alerts.active();
  return alert && openIncident("lab", workloadOf(fault), alert);
}

interface FaultWorld {
  readonly cluster: Cluster;
  readonly host: Host;
  readonly fault: FaultFile;
}

async function remediated(incident: Incident, ports: Ports, { cluster, host, fault }: FaultWorld) {
  let ended: OutcomeSoFar | undefined;
  let cause: string | undefined;
  let answered = 0;
  const records: Ports["records"] = {
    ...ports.records,
    endIncident: async (_uid, { outcome }) => {
      ended = outcome as OutcomeSoFar;
    },
  };
  const run: Run = {
    timings,
    step: async (name, work) => {
      const answer = await work({ ...ports, records });
      if (name === "diagnose") cause = nameIn(answer) ?? cause;
      return answer;
    },
    few: (_severity, work) => work(),
    message: async (ms) => {
      if (host.proposals.length > answered) {
        answered = host.proposals.length;
        const body = answerTo(fault);
        if (body !== undefined) host.say(answered, body);
      }
      await cluster.advance(Math.max(500, Math.min(ms, 5_000)));
      return undefined;
    },
  };
  await remediateIncident(incident, run);
  const files = host.proposals[0]?.draft.files.map(({ path }) => path) ?? [];
  return { outcome: ended, cause, files: files.filter((path) => !/^(?:postmortems|\.rectify)\//.test(path)) };
}

function nameIn(answer: unknown): string | undefined {
  const found = answer as { kind?: string; cause?: Parameters<typeof nameOf>[0] };
  return found.kind === "diagnosed" && found.cause !== undefined ? nameOf(found.cause) : undefined;
}
