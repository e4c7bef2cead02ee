import type { Unresolved } from "../../adapters/postgres/incidents/reexaminations.ts";
import { isInShadow, modeSubject } from "../../domain/guardrails/mode.ts";
import { type Present, reexaminationOf } from "../../domain/incident/reexamination.ts";
import { switchedToLive } from "../../domain/proposal/decision.ts";
import { guardrailsHash } from "../../flow/collect/dependencies.ts";
import { type LoadedGuardrails, loadGuardrails } from "../../flow/collect/load-guardrails.ts";
import { known } from "../../ports/errors.ts";
import type { Ports } from "../../ports/ports.ts";
import { eachApart } from "../../adapters/http/repeat.ts";
import { type AlertIntake, startWorkflow } from "../intake/take-alerts.ts";

export interface Reexamining extends Omit<AlertIntake, "concerns"> {
  readonly ports: Pick<Ports, "github" | "metrics" | "clock">;
  /** The sources that answered their newest question. */
  readonly answering: () => readonly string[];
  /** The slow beat at which an incident without a result is examined again, in milliseconds. */
  readonly beatMs: number;
}

// What is due beyond these is so at the next tick.
const mostStarted = 200;

/** Examines again what ended without a result while its alert fires: when something changed, or at a slow beat. */
export async function reexamine(reexamining: Reexamining): Promise<void> {
  const { store, cluster, beatMs, telemetry } = reexamining;
  const unresolved = await store.unresolved(cluster);
  if (unresolved.length === 0) return;
  const present = await presentOf(reexamining, unresolved);
  let started = 0;
  const again = async (item: Unresolved, because: string) => {
    if (started >= mostStarted) return;
    started += 1;
    await examineAgain(reexamining, item, because);
  };
  const look = async (item: Unresolved) => {
    if (item.shadow !== undefined) {
      if (isLiveBy(present.modes, item)) await again(item, switchedToLive);
      return;
    }
    const decided = reexaminationOf(item, present, beatMs);
    const { uid } = item.incident;
    if (decided.kind === "now") await again(item, decided.because);
    else if (decided.because !== item.waits) {
      await store.noteWait(uid, decided.because);
      telemetry.log(uid, "wait", decided.because);
    }
  };
  await eachApart(unresolved, look, ({ incident }, because) =>
    telemetry.log(incident.uid, "reexamine", `it could not be examined again: ${because}`),
  );
}

/** By guardrails that cannot be read nothing is. */
function isLiveBy(modes: LoadedGuardrails, { incident, shadow }: Unresolved): boolean {
  const { remedy: kind, namespace } = shadow ?? {};
  const workload = namespace === undefined ? undefined : { namespace };
  return modes.ok && !isInShadow(modes.value, modeSubject(incident, { kind, workload }));
}

async function examineAgain(reexamining: Reexamining, { incident, examination }: Unresolved, because: string) {
  const next = examination + 1;
  const workflow = `${incident.uid}/${next}`;
  if (!(await reexamining.store.reopenIncident(incident.uid, next, workflow))) return;
  reexamining.telemetry.log(incident.uid, "intake", `examined again (number ${next}): ${because}`);
  await startWorkflow(reexamining, { incident, workflow });
}

interface Now extends Present {
  readonly modes: LoadedGuardrails;
}

async function presentOf({ ports, answering }: Reexamining, unresolved: readonly Unresolved[]): Promise<Now> {
  const now = ports.clock.now();
  // Nobody else asks a source that was away: without a question it would never be known to be back.
  if (unresolved.some(({ depends }) => depends?.silent.includes("prometheus"))) {
    await known(() => ports.metrics.range("vector(1)", new Date(now.getTime() - 60_000), now));
  }
  const head = await ports.github.head();
  const modes = loadGuardrails(head.tree);
  return { now, answering: answering(), revision: head.sha, guardrails: guardrailsHash(head.tree), modes };
}
