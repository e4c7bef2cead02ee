import { deviationOf, type Moments, momentsOf } from "./node-metric.ts";
import { roleOf, type ServiceGraph } from "../service-graph.ts";
import { type RankingInput, type Visit, walkFrom } from "./graph-walk.ts";
import { corroborationOf } from "./corroboration.ts";

/** A node that may have caused the symptom. Scores add up to at most 1 over all causes. */
interface RankedCause {
  readonly node: string;
  readonly score: number;
  /** For people: what is off, how much of the symptom it explains, how it is reached. */
  readonly because: readonly string[];
}

/** Causes, most likely first, or why nothing stands out. */
export type Ranking =
  | { readonly kind: "ranked"; readonly causes: readonly RankedCause[] }
  | { readonly kind: "abstained"; readonly because: string };

/** Robust standard deviations from which a symptom and a cause count as off. */
const offAt = { symptom: 0.5, cause: 2.5 };
/** A cause must explain this share of the symptom. */
const leastShare = 0.1;
/** A node seen only by its callers, or one that passes calls on, yields to a node that measures itself. */
const roleWeight = { service: 1, proxy: 0.4, external: 0.6 };
/** That the symptom's node hurts is what was asked about: where no other metric of its own corroborates it, it yields. */
const uncorroboratedWeight = 0.2;
/** A node whose own metric of the symptom's kind says nothing, but another one does, explains an unknown share. */
const otherKind = { weight: 0.25, offAt: 5 };
/** So many nodes without a measurement in a row are looked through. */
const deepestBlindness = 4;
const echoWeight = 0.5;
const mostCauses = 5;

/**
 * Walks from the symptom along the calls, through nodes that are off themselves or not measured, and asks of each how
 * much of the symptom's extra time (or of its extra failures) arises in it rather than in what it calls. A node counts
 * only as far as it is off at the same moments as the symptom, against its own normal period and the calm moments.
 */
export function rankCauses(input: RankingInput): Ranking {
  const { symptom, metrics, graph } = input;
  const own = metrics.get(symptom.node)?.find(({ kind }) => kind === symptom.kind);
  if (!own) return { kind: "abstained", because: `${symptom.kind} of ${symptom.node} was not measured` };
  const moments = momentsOf(own);
  if (!moments) return { kind: "abstained", because: `${symptom.kind} of ${symptom.node} has too few points` };
  const deviation = deviationOf(own, moments);
  if (!deviation) return { kind: "abstained", because: `the normal ${symptom.kind} of ${symptom.node} is not known` };
  if (deviation.score < offAt.symptom) {
    return { kind: "abstained", because: `${symptom.kind} of ${symptom.node} is within its normal range` };
  }

  const walk = walkFrom(input, moments);
  const corroborated = isCorroborated(input, moments);
  const echoes = echoesIn(walk, graph);
  const suspects = [...walk.values()]
    .map((visit) => ({ ...visit, arising: arisingIn(visit, walk, echoes), echo: echoes.has(visit.node) }))
    .filter((visit) => isOff(visit, symptom.node));
  const whole = Math.max(walk.get(symptom.node)?.amount ?? 0, ...suspects.map(({ arising }) => arising));
  const direct = suspects.map((suspect) => causeOf(suspect, whole, corroborated, input)).filter(isCause);
  const known = new Set(direct.map(({ node }) => node));
  const indirect = [...walk.values()]
    .filter(({ node }) => node !== symptom.node && !known.has(node))
    .map((visit) => indirectCauseOf(visit, moments, input))
    .filter(isCause);
  const causes = [...direct, ...indirect].sort((a, b) => b.score - a.score).slice(0, mostCauses);
  if (causes.length === 0 || (!corroborated && causes.every(({ node }) => node === symptom.node))) {
    return {
      kind: "abstained",
      because: `nothing that ${symptom.node} calls is off enough to explain its ${symptom.kind}`,
    };
  }
  const total = causes.reduce((sum, { score }) => sum + score, 0);
  return { kind: "ranked", causes: causes.map((cause) => ({ ...cause, score: cause.score / Math.max(1, total) })) };
}

/** True when another metric of the symptom's node is off too. */
function isCorroborated({ metrics, symptom }: RankingInput, moments: Moments): boolean {
  const others = (metrics.get(symptom.node) ?? []).filter(({ kind }) => kind !== symptom.kind);
  return others.some((metric) => (deviationOf(metric, moments)?.score ?? 0) >= offAt.cause);
}

function isCause(cause: RankedCause | undefined): cause is RankedCause {
  return cause !== undefined;
}

function indirectCauseOf(
  visit: Visit,
  moments: Moments,
  { graph, metrics, symptom }: RankingInput,
): RankedCause | undefined {
  const { node, path, requests } = visit;
  const corroboration = corroborationOf(metrics.get(node) ?? [], symptom.kind, moments, {
    atLeast: otherKind.offAt,
    requests,
  });
  if (!corroboration) return undefined;
  const clear = corroboration.score ** 2 / (corroboration.score ** 2 + otherKind.offAt ** 2);
  const score = otherKind.weight * clear * visit.reach * roleWeight[roleOf(graph, node)];
  return { node, score, because: [corroboration.because, `reached by ${path.join(" → ")}`] };
}

/**
 * Nodes measured only by a caller that sees two of them go bad at once: one common caller is likelier than two
 * strangers that fail together, so what it sees is its own trouble.
 */
function echoesIn(walk: ReadonlyMap<string, Visit>, graph: ServiceGraph): ReadonlySet<string> {
  const off = (node: string): boolean => (walk.get(node)?.deviation?.score ?? 0) >= offAt.cause;
  return new Set(
    [...walk.values()].flatMap(({ callees }) => {
      const strangers = callees
        .map(({ node }) => node)
        .filter((node) => roleOf(graph, node) === "external" && off(node));
      return strangers.length > 1 ? strangers : [];
    }),
  );
}

/** Of the node's extra time or failures, what the symptom is behind and what does not come from its callees. */
function arisingIn(visit: Visit, walk: ReadonlyMap<string, Visit>, echoes: ReadonlySet<string>): number {
  return Math.max(0, visit.amount - amountBelow(visit, walk, echoes, [visit.node])) * visit.reach;
}

function isOff({ node, deviation }: Visit, symptom: string): boolean {
  return deviation !== undefined && (node === symptom || deviation.score >= offAt.cause);
}

type Suspect = Visit & { readonly arising: number; readonly echo: boolean };

function causeOf(
  suspect: Suspect,
  whole: number,
  corroborated: boolean,
  { graph, symptom }: RankingInput,
): RankedCause | undefined {
  const { node, deviation, arising } = suspect;
  if (!deviation || whole === 0) return undefined;
  const share = arising / whole;
  if (share < leastShare) return undefined;
  const clear = deviation.score ** 2 / (deviation.score ** 2 + offAt.cause ** 2);
  const role = roleWeight[roleOf(graph, node)] * (suspect.echo ? echoWeight : 1);
  const weight = node === symptom.node && !corroborated ? uncorroboratedWeight : role;
  return { node, score: share * clear * weight, because: becauseOf(suspect, deviation, share, symptom.node) };
}

/** What the callees add for this caller; a callee that is not measured stands for what lies below it. */
function amountBelow(
  visit: Visit,
  walk: ReadonlyMap<string, Visit>,
  echoes: ReadonlySet<string>,
  passed: readonly string[],
): number {
  return visit.callees.reduce((sum, { node, portion }) => {
    const callee = walk.get(node);
    if (!callee || passed.includes(node) || echoes.has(node) || passed.length > deepestBlindness) return sum;
    const whole = callee.deviation ? callee.amount : amountBelow(callee, walk, echoes, [...passed, node]);
    return sum + whole * portion;
  }, 0);
}

function becauseOf(visit: Visit, deviation: NonNullable<Visit["deviation"]>, share: number, symptom: string): string[] {
  const { kind, usual, seen, score } = deviation;
  const line = `${kind} ${shown(seen)} instead of ${shown(usual)} (${shown(score)} robust standard deviations)`;
  const part = `${Math.round(share * 100)} % of the symptom arises here and not in what it calls`;
  return visit.node === symptom ? [line, part] : [line, part, `reached by ${visit.path.join(" → ")}`];
}

function shown(value: number): string {
  return String(Number(value.toPrecision(3)));
}
