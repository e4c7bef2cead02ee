import type { IncidentRecord, Store } from "../../../adapters/postgres/store.ts";
import { hasShadow, isInShadow, type Modes, modeSubject } from "../../../domain/guardrails/mode.ts";
import { renderReport } from "../../../domain/proposal/body/sticky.ts";
import { switchedToShadow } from "../../../domain/proposal/decision.ts";
import { incidentTrailer, ownLabel, type Proposal } from "../../../domain/proposal/pull-request.ts";
import { loadGuardrails } from "../../../flow/collect/load-guardrails.ts";
import type { Ports } from "../../../ports/ports.ts";

interface Sweeping {
  readonly store: Pick<Store, "incident" | "incidentOfPull" | "isAtWork">;
  readonly ports: Pick<Ports, "github" | "telemetry">;
  /** Lets the workflow of a pull request look at once; the same key does so once. */
  readonly wake: (pull: number, key: string) => Promise<void>;
}

/**
 * What a switch to shadow mode means for what is open: it leaves the merge queue at once, its workflow is woken, which withdraws
 * it, and where no workflow is at work any more it is withdrawn here. It looks once for each change of the modes, and once
 * after a start; what fails is tried again at the next look, and keeps nothing else open.
 */
export function withdrawShadowed(sweeping: Sweeping): () => Promise<void> {
  const { github } = sweeping.ports;
  let swept = "";
  let settling = "";
  let settled = new Set<number>();
  return async () => {
    const { sha, tree } = await github.head();
    const guardrails = loadGuardrails(tree);
    if (!guardrails.ok) return;
    const { mode, modes } = guardrails.value;
    const text = JSON.stringify([mode, modes]);
    if (text === swept) return;
    const open = hasShadow(guardrails.value) ? await github.openIssuesWithLabel(ownLabel) : [];
    if (text !== settling) [settling, settled] = [text, new Set()];
    const failures: unknown[] = [];
    for (const number of open.filter((one) => !settled.has(one))) {
      await leftBy(number, { modes: { mode, modes }, sha }, sweeping)
        .then(() => settled.add(number))
        .catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
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
  const isShadowed = isInShadow(modes, modeSubject(record.incident, record.outcome?.remediation));
  if (isShadowed) await ports.github.leaveQueue({ number, commitMessage: incidentTrailer(record.incident.uid) });
  // Its remedy may be known to its workflow alone.
  if (await store.isAtWork(record.incident.uid)) return wake(number, `shadow ${number} ${sha}`);
  if (!isShadowed) return;
  const proposal = proposalOnRecord(record, number);
  await ports.github.withdraw(proposal, renderReport({ state: "closed", because: switchedToShadow }));
  ports.telemetry.log(record.incident.uid, "decide", `withdrew #${number}: ${switchedToShadow}`);
}

/** Where the outcome on record does not say what it opened under this number, its branch stays. */
export function proposalOnRecord({ incident: { uid }, outcome }: IncidentRecord, number: number): Proposal {
  const told = [outcome?.proposal, outcome?.revert?.proposal].find((one) => one?.number === number);
  const commitMessage = incidentTrailer(uid);
  return told ?? { number, commitMessage, ...{ url: "", branch: "", headSha: "", effect: "", files: [], labels: [] } };
}
