import type { Candidate } from "../../domain/proposal/caps.ts";
import { costOf } from "../../domain/remedy/cost.ts";
import { type Dashboard, dashboardNameOf, type IssueName, renderDashboard } from "../../domain/proposal/dashboard.ts";
import { isWatching, renderWatchtower, watchtowerLabel } from "../../domain/guardrails/watchtower.ts";
import { unlessShut } from "../../ports/errors.ts";
import type { Ports } from "../../ports/ports.ts";
import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import { isLiveClass, weekMs, weekOf } from "../../domain/backtest/switching.ts";
import { hasShadow, isShadowOnly } from "../../domain/guardrails/mode.ts";
import { proposeGuardrails } from "../gate/check-guardrails.ts";
import { runOpenRequests } from "./open-requests.ts";
import { guardrailsOf, guardrailsPath, type LoadedGuardrails } from "../collect/load-guardrails.ts";

/**
 * Brings the one dashboard issue up to what is true now. It belongs to no workflow: it is only ever a picture of the
 * records, so a try that was lost is made good by the next one. The answer is whose turn it is now, of those who wait.
 */
export async function reconcileDashboard(
  ports: Pick<
    Ports,
    | "github"
    | "guardrailsHost"
    | "queue"
    | "leases"
    | "clock"
    | "timings"
    | "people"
    | "records"
    | "telemetry"
    | "watchtower"
    | "editorOf"
  >,
  cluster: string,
): Promise<readonly Candidate[]> {
  if (ports.queue === undefined) return [];
  const now = ports.clock.now();
  const guardrails = await guardrailsOf(ports);
  const isNew = !guardrails.ok && guardrails.missing && (await proposesGuardrails(ports));
  const name = dashboardNameOf(cluster);
  const { ready, ...crowd } = guardrails.ok ? await crowdNow(name, guardrails.value, ports) : nobody;
  // Who has not said yet what Rectify may do has no problem: the pull request asks.
  const ours = [...watchtowerProblems(ports), ...(guardrails.ok ? [] : guardrails.problems)];
  const parked = await ports.records.parkedSince(new Date(now.getTime() - parkedMs));
  const problems = [...(isNew ? [] : ours), ...parked];
  const shadow = guardrails.ok ? await shadowOf(guardrails.value, ports) : undefined;
  const dashboard = { ...crowd, problems, leases: await runningLeases(ports, guardrails), shadow, now };
  // Nothing is written into a repository where there is nothing to tell yet.
  const counts = [dashboard.listed, dashboard.leases, problems, shadow?.records ?? []];
  const worthOpening = counts.some(({ length }) => length > 0);
  const isQuiet = guardrails.ok && isShadowOnly(guardrails.value);
  if (!guardrails.ok || guardrails.value.dashboard) {
    const none = await ports.github.keepIssue({ ...name, body: renderDashboard(dashboard) }, worthOpening);
    if (none !== undefined) ports.telemetry.log("", "dashboard", none);
  }
  const watchtower = ports.watchtower?.state();
  if (watchtower !== undefined && !isQuiet) await ports.github.mark(watchtowerLabel, isWatching(watchtower));
  return ready;
}

/** False where shadow mode, whose file somebody deleted, keeps the pull request in: then nothing there asks for the file. */
async function proposesGuardrails({ guardrailsHost }: Pick<Ports, "guardrailsHost">): Promise<boolean> {
  if (guardrailsHost === undefined) return true;
  return (await unlessShut(proposeGuardrails(guardrailsHost))) !== undefined;
}

const weeks = 4;

/** What shadow mode came to in the last weeks; whole weeks, so that the issue is written anew by what happened only. */
async function shadowOf(
  guardrails: Guardrails,
  { records, clock, editorOf }: Pick<Ports, "records" | "clock" | "editorOf">,
): Promise<Dashboard["shadow"]> {
  const { modes, namespaces } = guardrails;
  if (!hasShadow(guardrails)) return undefined;
  const since = new Date(weekOf(clock.now().getTime()) - (weeks - 1) * weekMs);
  const seen = await records.shadowVerdicts(since);
  return {
    ...{ since: since.toISOString(), records: seen, editor: editorOf?.(guardrailsPath), hasModes: modes.length > 0 },
    namespaces,
    isLive: (row) => isLiveClass(guardrails, row),
  };
}

type Crowd = Awaited<ReturnType<NonNullable<Ports["queue"]>["overview"]>>;
const nobody: Omit<Crowd, "used"> = { open: [], listed: [], ready: [] };

function watchtowerProblems({ watchtower }: Pick<Ports, "watchtower">): string[] {
  const state = watchtower?.state();
  return state !== undefined && isWatching(state) ? [`Watchtower mode: ${renderWatchtower(state)}`] : [];
}

// A parked incident is shown for a day, or until its workload has another one.
const parkedMs = 24 * 3_600_000;

/** What is open and what waits, after those were heard who want something opened now. */
async function crowdNow(
  name: IssueName,
  guardrails: Guardrails,
  { queue, ...ports }: Parameters<typeof reconcileDashboard>[0],
): Promise<Omit<Crowd, "used">> {
  if (queue === undefined) return nobody;
  const now = ports.clock.now();
  const limits = { ...guardrails, coolDownMs: ports.timings.coolDownMs };
  const crowd = await queue.overview(limits, now);
  const issue = crowd.listed.length > 0 ? await ports.github.ownIssue(name) : undefined;
  if (issue === undefined) return crowd;
  const doubtful = await runOpenRequests({ issue, listed: crowd.listed, guardrails }, { ...ports, queue });
  const { open, listed, ready } = await queue.overview(limits, now);
  return { open, ready, listed: listed.map((item) => ({ ...item, ticked: doubtful.has(item.candidate.incident) })) };
}

/** The leases with what they cost by the price book of today. */
async function runningLeases(
  { leases }: Pick<Ports, "leases">,
  guardrails: LoadedGuardrails,
): Promise<Dashboard["leases"]> {
  const prices = guardrails.ok ? guardrails.value.priceBook : undefined;
  return ((await leases?.running()) ?? []).map(({ incident, remediation, pull, since, expires, reserved }) => ({
    ...{ incident: incident.uid, workload: remediation.workload, pull, since, expires },
    perHour: costOf(reserved, prices)?.perHour,
    currency: prices?.currency ?? "",
  }));
}
