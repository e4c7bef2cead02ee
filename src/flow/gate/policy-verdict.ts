import { findCounterOffer, renderCounterOffer } from "../../domain/remedy/counter-offer.ts";
import { policyFiles } from "../../domain/gate/gate-files.ts";
import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import type { ObjectChange } from "../../domain/kubernetes/manifest-edit.ts";
import { notEvaluated, type PolicyEngine, type PolicyVerdict } from "../../domain/gate/policy-report.ts";
import { revertedBy } from "../../domain/kubernetes/remediation.ts";
import { isRecord, type RenderedObject } from "../../domain/kubernetes/rendered.ts";
import { overlaid, type Tree } from "../../domain/kubernetes/tree.ts";
import type { Ports } from "../../ports/ports.ts";
import { type ChangeToJudge, evaluatePolicies } from "./evaluate-policies.ts";
import { provenEntry } from "../../manifests/locate/answer.ts";
import { othersReading, renderBoth } from "../plan/other-entries.ts";
import type { Plan } from "../plan/plan.ts";

/** What the policies say of a plan, on what they looked at. */
export interface PlanJudgement {
  readonly verdict: PolicyVerdict;
  /** False where there is no CLI to ask: then a required check may speak for the policies. */
  readonly asked: boolean;
  /** The objects before and with the change; undefined when they could not be rendered. */
  readonly rendered: Sides | undefined;
  /** Where a number was refused: the nearest that passes, and one line about it for people. */
  readonly counterOffer: { readonly value: number; readonly line: string } | undefined;
}

/** Renders the plan on its base commit and puts it before the policies of that commit. */
export async function policyVerdict(
  plan: Plan,
  about: { readonly incident: string; readonly guardrails: Guardrails },
  ports: Pick<Ports, "github" | "renderer" | "policies">,
): Promise<PlanJudgement> {
  const base = await ports.github.at(plan.baseSha);
  const changed = overlaid(base, Object.fromEntries(plan.files.map(({ path, after }) => [path, after])));
  const asked = ports.policies !== undefined;
  const sides = await sidesOf(plan, { before: base, after: changed }, ports);
  if (sides.kind === "unsupported") {
    const verdict = notEvaluated(`it cannot be rendered: ${sides.because}`);
    return { verdict, asked, rendered: undefined, counterOffer: undefined };
  }
  const { before, after } = sides;
  const rendered = { before, after };
  const engine = ports.policies;
  if (engine === undefined) {
    return { verdict: notEvaluated("no Kyverno CLI was found here"), asked, rendered, counterOffer: undefined };
  }
  const { changes } = plan.effect;
  const change = {
    ...{ files: policyFiles(base), before, objects: after, changes, incident: about.incident },
    reverts: revertedBy(plan.remediation),
  };
  const verdict = await evaluatePolicies(change, engine);
  const counterOffer = verdict.kind === "refused" ? await offerFor(change, about.guardrails, engine) : undefined;
  return { verdict, asked, rendered, counterOffer };
}

/** The objects of the entry; and of the other entries that read an edited file, where objects of theirs change, too. */
async function sidesOf(
  plan: Plan,
  trees: { readonly before: Tree; readonly after: Tree },
  ports: Pick<Ports, "renderer">,
): ReturnType<typeof renderBoth> {
  const own = await renderBoth(trees, provenEntry(trees.before, plan.entry), ports);
  if (own.kind === "unsupported" || holdsAll(own, plan.effect.changes)) return own;
  const paths = plan.files.map(({ path }) => path);
  const all = [own];
  for (const other of othersReading(trees, paths, plan.entry)) {
    const sides = await renderBoth(trees, other, ports);
    if (sides.kind === "unsupported") return sides;
    all.push(sides);
  }
  return { kind: "both", before: all.flatMap(({ before }) => before), after: all.flatMap(({ after }) => after) };
}

interface Sides {
  readonly before: readonly RenderedObject[];
  readonly after: readonly RenderedObject[];
}

function holdsAll({ before, after }: Sides, changes: readonly ObjectChange[]): boolean {
  return changes.every((change) => [...after, ...before].some((object) => isOf(change, object)));
}

/** Only one number can be bargained about. */
async function offerFor(
  change: ChangeToJudge,
  bounds: Guardrails,
  engine: PolicyEngine,
): Promise<PlanJudgement["counterOffer"]> {
  const [only, ...others] = change.changes;
  if (only === undefined || others.length > 0) return undefined;
  const { from, to } = only;
  if (typeof from !== "number" || typeof to !== "number") return undefined;
  const offer = await findCounterOffer(to, from, async (value) => {
    if (value < bounds.minReplicas || value > bounds.maxReplicas) return { passes: false, rule: "guardrails" };
    const objects = change.objects.map((object) =>
      isOf(only, object) ? withValue(object, only.field, value) : object,
    );
    const verdict = await evaluatePolicies({ ...change, objects, changes: [{ ...only, to: value }] }, engine);
    if (verdict.kind === "passed") return { passes: true };
    return { passes: false, rule: verdict.kind === "refused" ? (verdict.failures[0]?.policy ?? "") : verdict.because };
  });
  return offer === undefined ? undefined : { value: offer.value, line: renderCounterOffer(to, offer) };
}

function isOf({ object: changed }: ObjectChange, object: RenderedObject): boolean {
  return (
    changed.kind === object.kind &&
    changed.name === object.metadata.name &&
    (changed.namespace || "default") === (object.metadata.namespace ?? "default")
  );
}

/** A copy with another value at the path. */
function withValue<T>(node: T, [step, ...rest]: readonly (string | number)[], value: unknown): T {
  if (step === undefined) return value as T;
  if (Array.isArray(node)) {
    return node.map((item, index) => (index === step ? withValue(item, rest, value) : item)) as T;
  }
  return isRecord(node) ? ({ ...node, [step]: withValue(node[step], rest, value) } as T) : node;
}
