import { type PastRecord, recordedWould } from "../../domain/backtest/record.ts";
import { type Unseen, unseenIn } from "../../domain/backtest/unseen.ts";
import { verdictOf, type WouldHave } from "../../domain/backtest/verdict.ts";
import type { RemediationKind } from "../../domain/kubernetes/remediation.ts";
import { isInShadow, modeSubject } from "../../domain/guardrails/mode.ts";
import { areResolved, lastEndOf } from "../../domain/incident/alert.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { Rendered } from "../../domain/kubernetes/rendered.ts";
import { type Workload, workloadKey } from "../../domain/kubernetes/workload.ts";
import { switchedToLive } from "../../domain/proposal/decision.ts";
import type { IncidentOutcome, ShadowOutcome } from "../../domain/proposal/outcome.ts";
import { render } from "../../manifests/render/render.ts";
import { known, Refused } from "../../ports/errors.ts";
import type { Ports } from "../../ports/ports.ts";
import { readOnly } from "../../ports/read-only.ts";
import type { Message, Run } from "../../ports/workflow.ts";
import type { Observed } from "../collect/collect.ts";
import { guardrailsOf, loadGuardrails } from "../collect/load-guardrails.ts";
import { pauseAfter } from "../collect/pause-after.ts";
import { peoplesCommits } from "./peoples-commits.ts";

/** Which remedies of this incident are in shadow mode; "none" = it ends there without a remedy, too. */
export type Shadowed = readonly (RemediationKind | "none")[];

/** The same run; every port that a step of it is given is closed for writing. */
export function closed(run: Run): Run {
  return { ...run, step: (name, work) => run.step(name, (ports) => work(readOnly(ports))) };
}

const remedies = ["scale", "resources", "image-rollback", "revert-commit", "none"] as const;

/** By the guardrails of now. Invalid or missing ones shadow nothing: the gate refuses then. Throws without an answer. */
export async function shadowedNow(incident: Incident, { github }: Pick<Ports, "github">): Promise<Shadowed> {
  const guardrails = loadGuardrails((await github.head()).tree);
  if (!guardrails.ok) return [];
  return remedies.filter((kind) => isInShadow(guardrails.value, modeSubject(incident, { kind })));
}

/** The same while evidence is collected: what is not known is asked again before anything comes of it, never taken for live. */
export async function shadowedIn(incident: Incident, ports: Pick<Ports, "github">): Promise<Shadowed | "unknown"> {
  return (await known(() => shadowedNow(incident, ports))) ?? "unknown";
}

interface ShadowSubject {
  readonly incident: Incident;
  readonly observed: Observed;
  readonly would: (ports: Ports) => Promise<WouldHave>;
  /** What makes its class: "none" = there is no remedy. */
  readonly remedy: Shadowed[number];
  /** The workload that would be changed, where that is known. */
  readonly target?: Workload;
}

/** Looked at to the end, or its class was switched to live meanwhile. */
type Watched = ShadowOutcome | Extract<IncidentOutcome, { readonly ending: "refused" }>;

/**
 * Waits for the end of the incident, and tells what people did against what would have been done. Writes nothing. Where its
 * class is switched to live before, it ends without a result, and is examined again.
 */
export async function shadowOutcome(subject: ShadowSubject, open: Run): Promise<Watched> {
  const { incident, observed, would } = subject;
  const run = closed(open);
  const wanted = await run.step("shadow", would);
  const end = await endOf(subject, run);
  if (end.kind === "live") return { ending: "refused", because: switchedToLive };
  const { endedAt } = end;
  const unseen = unseenIn(observed.evidence);
  const record = await run.step("shadow verdict", (ports) =>
    judged(incident, { would: wanted, endedAt, unseen }, ports),
  );
  const { kind, because } = record.verdict;
  return { ending: "shadow", because: `${kind}: ${because}`, shadow: record };
}

/** Whether the guardrails of now have its class live; what nobody can read, or does not answer, leaves it in shadow mode. */
async function isLiveNow(
  { incident, remedy, target }: ShadowSubject,
  { github }: Pick<Ports, "github">,
): Promise<boolean> {
  const guardrails = await known(() => guardrailsOf({ github }));
  const about = modeSubject(incident, { kind: remedy, workload: target });
  return guardrails?.ok === true && !isInShadow(guardrails.value, about);
}

/** `endedAt` = when its alerts had been resolved and stayed so; undefined = they still fire after all the time that people have. */
type End = { readonly kind: "over"; readonly endedAt: string | undefined } | { readonly kind: "live" };

async function endOf(subject: ShadowSubject, run: Run): Promise<End> {
  const { incident } = subject;
  const { pollMs, lingerMs, decideTimeoutMs } = run.timings;
  let message: Message | undefined;
  let pauseMs = 0;
  let begun: number | undefined;
  let resolvedAt: number | undefined;
  for (;;) {
    // `live` is absent in what an older version put on record.
    const look: Look = await run.step("shadow look", async ({ records, clock, github }) => {
      const at = clock.now().getTime();
      const isResolved = areResolved(await records.alertsOf(incident.uid));
      return { at, resolved: isResolved, live: !isResolved && (await isLiveNow(subject, { github })) };
    });
    const { at, resolved, live } = look;
    if (live === true) return { kind: "live" };
    begun ??= at;
    resolvedAt = resolved ? (resolvedAt ?? at) : undefined;
    if (resolvedAt !== undefined && at - resolvedAt >= lingerMs)
      return { kind: "over", endedAt: new Date(resolvedAt).toISOString() };
    if (at - begun >= decideTimeoutMs) return { kind: "over", endedAt: undefined };
    pauseMs = resolvedAt === undefined ? pauseAfter(pauseMs, message, pollMs) : lingerMs;
    message = await run.message(pauseMs);
  }
}

interface Look {
  readonly at: number;
  readonly resolved: boolean;
  readonly live?: boolean;
}

interface Judging {
  readonly would: WouldHave;
  readonly endedAt: string | undefined;
  readonly unseen: Unseen;
}

async function judged(
  incident: Incident,
  { would, endedAt: seenAt, unseen }: Judging,
  ports: Pick<Ports, "github" | "cluster" | "renderer" | "clock" | "telemetry" | "records">,
): Promise<PastRecord> {
  const { workload, startedAt } = incident;
  // A commit between the end and our look healed nothing.
  const endedAt = seenAt && lastEndOf(await ports.records.alertsOf(incident.uid), seenAt);
  const target = would.kind === "proposed" ? [would.remediation.workload] : [];
  const workloads = [...new Map([workload, ...target].map((one) => [workloadKey(one), one])).values()];
  const since = await ports.github.commitsSince(new Date(startedAt));
  const during = since.filter(({ at }) => endedAt === undefined || Date.parse(at) <= Date.parse(endedAt)).reverse();
  const people = await peoplesCommits({
    ...{ commits: during, workloads, entryOf: (one: Workload) => entryNow(one, ports), renderedAt: rendering(ports) },
  });
  // Those that the proposal passed; a workflow of an older version did not keep them.
  const kept = would.kind === "proposed" ? would.growthLimit : undefined;
  const guardrails = loadGuardrails((await ports.github.head()).tree);
  const growthLimit = kept ?? (guardrails.ok ? guardrails.value.growthLimit : undefined);
  const verdict = verdictOf(would, { workload, startedAt, endedAt, growthLimit, people });
  ports.telemetry.log(incident.uid, "shadow", `${verdict.kind}: ${verdict.because}`);
  return {
    ...{ uid: incident.uid, alert: incident.alert.name, workload: workloadKey(workload), severity: incident.severity },
    ...{ startedAt, ...(endedAt === undefined ? {} : { endedAt }), would: recordedWould(would), verdict },
    ...{ missing: [...unseen.missing], empty: [...unseen.empty] },
  };
}

async function entryNow(workload: Workload, { cluster }: Pick<Ports, "cluster">): Promise<Entry> {
  const live = await cluster.workload(workload);
  if (live === undefined) throw new Refused(`${workloadKey(workload)} is not on the cluster any more`);
  return cluster.entryOf(live);
}

function rendering({ github, renderer }: Pick<Ports, "github" | "renderer">) {
  return async (sha: string, entry: Entry): Promise<Rendered> => {
    const tree = await github.at(sha);
    const own = render(tree, entry);
    return own.kind === "rendered" ? own : renderer.render(tree, entry);
  };
}
