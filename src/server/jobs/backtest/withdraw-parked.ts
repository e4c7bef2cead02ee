import type { IncidentRecord, Store } from "../../../adapters/postgres/store.ts";
import { isInShadow, type Modes } from "../../../domain/guardrails/mode.ts";
import { renderReport } from "../../../domain/proposal/body/sticky.ts";
import { switchedToShadow } from "../../../domain/proposal/decision.ts";
import { ownLabel, type Proposal } from "../../../domain/proposal/pull-request.ts";
import { guardrailsOf } from "../../../flow/collect/load-guardrails.ts";
import type { Ports } from "../../../ports/ports.ts";

interface Sweeping {
  readonly store: Pick<Store, "incident" | "incidentOfPull" | "lastPullOf">;
  readonly ports: Pick<Ports, "github" | "telemetry">;
}

/**
 * Withdraws what parked incidents left open, where its class is in shadow mode by now: no story is at work there, and a merge
 * queue may still hold it. It looks once for each change of the modes, and once after a start.
 */
export function withdrawParked({ store, ports }: Sweeping): () => Promise<void> {
  let swept = "";
  return async () => {
    const guardrails = await guardrailsOf(ports);
    if (!guardrails.ok) return;
    const { mode, modes } = guardrails.value;
    const text = JSON.stringify([mode, modes]);
    if (text === swept) return;
    const hasShadow = [mode, ...modes.map((rule) => rule.mode)].includes("shadow");
    const open = hasShadow ? await ports.github.openIssuesWithLabel(ownLabel) : [];
    for (const number of open) await withdrawOne(number, { mode, modes }, { store, ports });
    swept = text;
  };
}

async function withdrawOne(number: number, modes: Modes, { store, ports }: Sweeping): Promise<void> {
  const uid = (await store.incidentOfPull(number))?.uid;
  const record = uid === undefined ? undefined : await store.incident(uid);
  if (record?.ending !== "parked" || !isShadowed(record, modes)) return;
  const proposal = record.story?.proposal ?? (await bareProposal(record, store));
  if (proposal?.number !== number) return;
  await ports.github.withdraw(proposal, renderReport({ state: "closed", because: switchedToShadow }));
  ports.telemetry.log(record.incident.uid, "decide", `withdrew #${number}: ${switchedToShadow}`);
}

function isShadowed({ incident: { workload, alert }, story }: IncidentRecord, modes: Modes): boolean {
  const remediation = story?.remediation;
  const target = remediation === undefined ? [] : [remediation.workload.namespace];
  return isInShadow(modes, {
    ...{ alert: alert.name, namespaces: [workload.namespace, ...target], remedy: remediation?.kind },
  });
}

/** Of an incident that was parked before it could say what it had opened the number is known; its branch stays. */
async function bareProposal(
  { incident: { uid } }: IncidentRecord,
  { lastPullOf }: Sweeping["store"],
): Promise<Proposal | undefined> {
  const number = await lastPullOf(uid);
  if (number === undefined) return undefined;
  const commitMessage = `Incident-UID: ${uid}`;
  return { number, commitMessage, ...{ url: "", branch: "", headSha: "", effect: "", files: [], labels: [] } };
}
