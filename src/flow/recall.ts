import type { Evidence } from "../domain/evidence/evidence.ts";
import type { Incident } from "../domain/incident/incident.ts";
import { postMortemOf } from "../domain/records/post-mortem.ts";
import {
  precedentLimits,
  type Precedents,
  precedentsOf,
  rememberedOf,
  renderPrecedents,
  textOf,
  visibleFrom,
} from "../domain/records/precedent.ts";
import type { Tree } from "../domain/kubernetes/tree.ts";
import { workloadKey } from "../domain/kubernetes/workload.ts";
import type { Ports } from "../ports/ports.ts";
import { loadGuardrails } from "./collect/load-guardrails.ts";
import { sealedIn } from "./collect/load-trust.ts";

/** What earlier incidents came to, one inert line each: those of this alert on this workload, then others alike. */
export interface Recalled {
  readonly lines: readonly string[];
}

type Asked = Pick<Ports, "github" | "records" | "clock" | "memory" | "sealKey">;

// What is only alike is sorted afterwards: some of it is too far away, and much of it may be of one kind.
const asked = 200;

/**
 * For people, and data for the model: what a remedy has earned is read anew by the gate. Only outcomes that were
 * verified, or failed the verification, under our seal, and that nobody withdrew say anything.
 */
export async function recall(incident: Incident, evidence: readonly Evidence[], ports: Asked): Promise<Recalled> {
  const { tree } = await ports.github.head();
  const withdrawn = (await ports.records.withdrawals()).map((withdrawal) => withdrawal.incident);
  const { name } = incident.alert;
  const { records } = await sealedIn(tree, ports.sealKey, name);
  const same = rememberedOf(records).filter(
    ({ alert, workload, uid }) =>
      alert === name && workload === workloadKey(incident.workload) && ![incident.uid, ...withdrawn].includes(uid),
  );
  const except = [...withdrawn, ...same.map(({ uid }) => uid)];
  const alike = await alikeTo(incident, { evidence, tree, except }, ports);
  return { lines: renderPrecedents(same, alike) };
}

interface Known {
  readonly evidence: readonly Evidence[];
  readonly tree: Tree;
  readonly except: readonly string[];
}

/** Asks the memory with the signs of this incident, as a post-mortem would tell them. */
async function alikeTo(incident: Incident, { evidence, tree, except }: Known, ports: Asked): Promise<Precedents> {
  const guardrails = loadGuardrails(tree);
  if (!guardrails.ok || ports.memory === undefined) return { advice: [], warnings: [] };
  const visible = visibleFrom(incident.workload.namespace, guardrails.value);
  const signs = postMortemOf({ incident, outcome: {}, evidence, now: ports.clock.now().toISOString() });
  const found = await ports.memory.nearest(textOf(signs), asked, { namespaces: visible, except });
  return precedentsOf(incident, found, { visible, except, ...precedentLimits });
}
