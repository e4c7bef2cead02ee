import type { IncidentRecord, Store } from "../../../adapters/postgres/store.ts";
import { isInShadow, type Modes } from "../../../domain/guardrails/mode.ts";
import { renderReport } from "../../../domain/proposal/body/sticky.ts";
import { switchedToShadow } from "../../../domain/proposal/decision.ts";
import { ownLabel, type Proposal } from "../../../domain/proposal/pull-request.ts";
import { loadGuardrails } from "../../../flow/collect/load-guardrails.ts";
import type { Ports } from "../../../ports/ports.ts";

interface Sweeping {
  readonly store: Pick<Store, "incident" | "incidentOfPull" | "lastPullOf">;
  readonly ports: Pick<Ports, "github" | "telemetry">;
  /** Lets the story of a pull request look at once; the same key does so once. */
  readonly wake: (pull: number, key: string) => Promise<void>;
}

/**
 * What a switch to shadow mode means for what is open: it leaves the merge queue at once, its story is woken, which withdraws
 * it, and what a parked incident left is withdrawn here, because no story is at work there. It looks once for each change of
 * the modes, and once after a start.
 */
export function withdrawShadowed(sweeping: Sweeping): () => Promise<void> {
  const { github } = sweeping.ports;
  let swept = "";
  return async () => {
    const { sha, tree } = await github.head();
    const guardrails = loadGuardrails(tree);
    if (!guardrails.ok) return;
    const { mode, modes } = guardrails.value;
    const text = JSON.stringify([mode, modes]);
    if (text === swept) return;
    const hasShadow = [mode, ...modes.map((rule) => rule.mode)].includes("shadow");
    const open = hasShadow ? await github.openIssuesWithLabel(ownLabel) : [];
    for (const number of open) await leftBy(number, { modes: { mode, modes }, sha }, sweeping);
    swept = text;
  };
}

interface Switch {
  readonly modes: Modes;
  /** The commit that holds it. */
  readonly sha: string;
}

async function leftBy(number: number, { modes, sha }: Switch, { store, ports, wake }: Sweeping): Promise<void> {
  const uid = (await store.incidentOfPull(number))?.uid;
  const record = uid === undefined ? undefined : await store.incident(uid);
  if (record === undefined) return;
  if (isShadowed(record, modes)) await ports.github.leaveQueue({ number, commitMessage: `Incident-UID: ${uid}` });
  // Its remedy may be known to its story alone.
  if (record.ending === undefined) await wake(number, `shadow ${number} ${sha}`);
  if (record.ending !== "parked" || !isShadowed(record, modes)) return;
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
