import { costOf } from "../domain/cost.ts";
import { type Dashboard, dashboardLabel, dashboardTitle, renderDashboard } from "../domain/dashboard.ts";
import type { Ports } from "../ports.ts";
import { type LoadedGuardrails, loadGuardrails } from "./load-guardrails.ts";

/**
 * Brings the one dashboard issue up to what is true now. It belongs to no story: it is only ever a picture of the
 * records, so a try that was lost is made good by the next one.
 */
export async function keepDashboard(
  ports: Pick<Ports, "github" | "queue" | "leases" | "clock" | "tempo">,
): Promise<void> {
  if (ports.queue === undefined) return;
  const now = ports.clock.now();
  const guardrails = loadGuardrails((await ports.github.head()).tree);
  const { coolDownMs } = ports.tempo;
  const crowd = guardrails.ok
    ? await ports.queue.overview({ ...guardrails.value, coolDownMs }, now)
    : { open: [], listed: [] };
  const problems = guardrails.ok ? [] : guardrails.problems;
  const dashboard = { ...crowd, problems, leases: await runningLeases(ports, guardrails), now };
  // Nothing is written into a repository where there is nothing to tell yet.
  const worthOpening = dashboard.listed.length + dashboard.leases.length + problems.length > 0;
  const issue = { title: dashboardTitle, label: dashboardLabel, body: renderDashboard(dashboard) };
  await ports.github.keepIssue(issue, worthOpening);
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
