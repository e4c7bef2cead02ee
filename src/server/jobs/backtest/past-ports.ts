import { createHash } from "node:crypto";
import { pastCluster } from "../../../adapters/past/cluster.ts";
import { desiredIn, type DesiredSources } from "../../../adapters/past/desired.ts";
import type { GitHistory } from "../../../adapters/past/history.ts";
import { pastObjects } from "../../../adapters/past/objects.ts";
import type { PastIncident } from "../../../domain/backtest/past-alerts.ts";
import { incidentMark } from "../../../domain/gate/checked-objects.ts";
import type { PolicyEngine } from "../../../domain/gate/policy-report.ts";
import type { Alert } from "../../../domain/incident/alert.ts";
import type { Concern } from "../../../domain/incident/incident.ts";
import type { Entry } from "../../../domain/kubernetes/manifest-edit.ts";
import type { ChartTools, Rendered } from "../../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../../domain/kubernetes/tree.ts";
import type { Workload } from "../../../domain/kubernetes/workload.ts";
import { openConcerns } from "../../../flow/collect/concerns/concerns.ts";
import type { PastWorld } from "../../../flow/jobs/backtest/examine.ts";
import { render } from "../../../manifests/render/render.ts";
import { Denied, Refused } from "../../../ports/errors.ts";
import type { Logs, Metrics, WholeHistory } from "../../../ports/monitoring.ts";
import type { Ports } from "../../../ports/ports.ts";
import { readOnly } from "../../../ports/read-only.ts";
import type { Timings } from "../../../ports/timings.ts";
import { type Asking, type AskingOptions, openAsking } from "./asking.ts";

/** What the past is read from. */
export interface PastSources extends AskingOptions {
  readonly metrics: Metrics & WholeHistory;
  readonly logs: Logs | undefined;
  readonly history: GitHistory;
  readonly renderer: { readonly render: (tree: Tree, entry: Entry) => Promise<Rendered> };
  readonly charts?: ChartTools | undefined;
  readonly policies?: PolicyEngine | undefined;
  readonly marks?: DesiredSources["marks"];
  readonly cluster: string;
  readonly clusterLabel: string;
  readonly timings: Timings;
  readonly until: Date;
  readonly deliveredAfterMs: number;
  readonly tell?: (line: string) => void;
}

/** The past as the line may ask it: every port at one moment, and none that writes. */
interface PastPlay extends PastWorld {
  readonly metrics: Metrics & WholeHistory;
  readonly concernAt: (alert: Alert, moment: Date) => Promise<Concern>;
  readonly unanswered: Asking["unanswered"];
  readonly silence: Asking["silence"];
  readonly denied: Asking["denied"];
}

/** Puts the ports of the past together. */
export function openPast(sources: PastSources): PastPlay {
  const { history, until, deliveredAfterMs, cluster, clusterLabel } = sources;
  const asking = openAsking(sources);
  const metrics = askedMetrics(sources, asking);
  const logs = askedLogs(sources, asking);
  const rendering = oneRenderer(sources);
  const desired = desiredIn({ cluster, render: rendering, marks: askedMarks(sources, asking) });
  const desiredAt = async (moment: Date, workload: Workload) =>
    desired((await history.at(moment).head()).tree, workload);
  const policies = sources.policies && remembered(sources.policies);
  return {
    ...{
      metrics,
      until,
      deliveredAfterMs,
      unanswered: asking.unanswered,
      silence: asking.silence,
      denied: asking.denied,
      commitsBetween: history.between,
    },
    entryAt: async (moment, workload) => (await desiredAt(moment, workload)).entry,
    renderedAt: async (sha, entry) => rendering(await history.tree(sha), entry),
    concernAt: (alert, moment) => {
      const at = { metrics, clock: { now: () => moment }, github: history.at(moment) };
      const objects = pastObjects({ metrics, at: moment });
      return openConcerns({ ...at, objects, cluster, clusterLabel }).of(alert);
    },
    portsAt: (moment, past) => {
      const github = history.at(moment);
      const clock = { now: () => moment };
      const at = { metrics, at: moment, lookbackMs: sources.timings.lookbackMs };
      const then = {
        metrics,
        logs,
        clock,
        github,
        cluster: pastCluster({ ...at, desired: (of) => desiredAt(moment, of) }),
      };
      const objects = pastObjects(at);
      const concerns = openConcerns({ ...{ metrics, clock, github, objects }, cluster, clusterLabel });
      return readOnly(
        { ...noOne(sources, past), renderer: { render: rendering }, ...then, concerns, policies } as unknown as Ports,
        "a backtest writes nothing",
      );
    },
  };
}

/** People, proposals and a model of that time are not there to be asked; records tell what a first installation would know. */
function noOne({ charts, timings, tell }: PastSources, { cycles }: PastIncident) {
  const refuse = () => Promise.reject(new Refused("a backtest asks nobody"));
  const people = { comment: refuse, commentsOn: refuse, permissionOf: refuse, teamsOf: refuse, committersOf: refuse };
  const log = (incident: string, verb: string, text: string) => tell?.(`${incident} ${verb}: ${text}`);
  return {
    ...{ people, model: undefined, prompts: { diagnose: "", repair: "" }, random: () => "0".repeat(32) },
    ...{ sealKey: "", charts, timings, telemetry: { log }, records: nothingRecorded(cycles) },
    // Each source has its own deadline, and waiting for one's turn is no silence.
    withTimeout: <T>(_milliseconds: number, work: Promise<T>) => work,
  };
}

function nothingRecorded(
  cycles: number,
): Pick<
  Ports["records"],
  "saveCapsule" | "openIncidents" | "changesSince" | "firingsSince" | "mergesSince" | "pendingFiles" | "withdrawals"
> {
  return {
    // Each incident is gone through as if it were the only one.
    openIncidents: async () => [],
    saveCapsule: async () => undefined,
    changesSince: async () => 0,
    firingsSince: async () => cycles,
    mergesSince: async () => [],
    pendingFiles: async () => [],
    withdrawals: async () => [],
  };
}

function askedMetrics(sources: PastSources, asking: Asking): Metrics & WholeHistory {
  const ask = asking.of("PROMETHEUS");
  const rules = new Map<string, ReturnType<Metrics["ruleOf"]>>();
  return {
    range: (...asked) => ask(() => sources.metrics.range(...asked)),
    everyStep: (query, from, to, points) => ask(() => sources.metrics.everyStep(query, from, to, points)),
    // The rules are those of today: one question for each kind of alert is enough.
    ruleOf: async (alert) => {
      const key = JSON.stringify([alert.name, alert.labels]);
      const known = rules.get(key) ?? ask(() => sources.metrics.ruleOf(alert));
      rules.set(key, known);
      known.catch(() => rules.delete(key));
      const rule = await known;
      if (rule === undefined) return undefined;
      const { state: _, ...then } = rule;
      return then;
    },
  };
}

function askedLogs({ logs }: PastSources, asking: Asking): Logs | undefined {
  if (logs === undefined) return undefined;
  const ask = asking.of("LOKI");
  return {
    around: (workload, from, to) => ask(() => logs.around(workload, from, to)),
    errorRate: (workload, from, to) => ask(() => logs.errorRate(workload, from, to)),
  };
}

/** It is asked only where the repository leaves it open: without its answer nobody knows. Another no is that it knows none. */
function askedMarks({ marks }: PastSources, asking: Asking): PastSources["marks"] {
  if (marks === undefined) return undefined;
  const ask = asking.of("KUBERNETES");
  return async (workload) => {
    try {
      return await ask(() => marks(workload));
    } catch (error) {
      if (error instanceof Refused && !(error instanceof Denied)) return undefined;
      throw error;
    }
  };
}

/** Our own subset where it suffices: it spares a process for each commit. What a tree rendered to is kept with it. */
function oneRenderer({ renderer }: PastSources): (tree: Tree, entry: Entry) => Promise<Rendered> {
  const known = new WeakMap<Tree, Map<string, Promise<Rendered>>>();
  return (tree, entry) => {
    const ofTree = known.get(tree) ?? new Map<string, Promise<Rendered>>();
    known.set(tree, ofTree);
    const key = [entry.tool, entry.path, entry.object, entry.cluster].join(" ");
    const own = () => render(tree, entry);
    const rendered = ofTree.get(key) ?? renderedBy(own(), () => renderer.render(tree, entry));
    ofTree.set(key, rendered);
    rendered.catch(() => ofTree.delete(key));
    return rendered;
  };
}

async function renderedBy(own: Rendered, tool: () => Promise<Rendered>): Promise<Rendered> {
  return own.kind === "rendered" ? own : tool();
}

/** The policies are asked once for each distinct effect, whichever incident it is for. No verdict is asked for again. */
function remembered(engine: PolicyEngine): PolicyEngine {
  const known = new Map<string, ReturnType<PolicyEngine["judge"]>>();
  return {
    judge: async (question) => {
      const text = JSON.stringify(question, (name, value: unknown) => (name === incidentMark ? "" : value));
      const key = createHash("sha256").update(text).digest("hex");
      const asked = known.get(key) ?? engine.judge(question);
      known.set(key, asked);
      const verdict = await asked;
      if (verdict.kind === "not-evaluated") known.delete(key);
      return verdict;
    },
  };
}
