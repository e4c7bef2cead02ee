import type { Evidence } from "../../evidence/evidence.ts";
import type { Workload } from "../../kubernetes/workload.ts";
import type { Cause } from "../cause.ts";
import type { Cited } from "../cited.ts";
import { type Aspect, aspects } from "./aspects.ts";
import { type CauseName, nameOfChange } from "./cause-names.ts";
import { type Relation, relations } from "./relations.ts";
import { factsOf, type Symptom } from "./symptoms.ts";

/** One object that a commit changed, and what of it. */
export interface SuspectPart {
  readonly relation: Relation;
  /** `Kind/name`. */
  readonly object: string;
  readonly aspects: readonly Aspect[];
}

/** A commit whose rendered effect changed the workload or something around it. */
export interface Suspect {
  readonly sha: string;
  /** RFC 3339, the commit's own time. */
  readonly at: string;
  readonly parts: readonly SuspectPart[];
}

/** Everything that suspects are weighed by. */
export interface Weighing {
  readonly workload: Workload;
  readonly suspects: Cited<readonly Suspect[]> | undefined;
  readonly symptoms: readonly Symptom[];
  /** When it began to hurt, RFC 3339, and what shows that. */
  readonly changePoint: Cited<string>;
  /** When the commit took effect, for the lag. */
  readonly effectiveAt: (suspect: Suspect) => string;
  /** Mean traffic since the change point by that before it; undefined = not measured. */
  readonly traffic: number | undefined;
  /** `Deployment/name` of services that the workload was seen to call. */
  readonly callees: ReadonlySet<string>;
  /** What the cluster itself says of the workload, cited along. */
  readonly states: readonly string[];
}

/** One line of the fact `suspects`. */
export function renderSuspect({ at, parts }: Omit<Suspect, "sha">): string {
  const said = parts.map(({ relation, object, aspects: what }) => `${relation}:${object}:${what.join(",")}`);
  return [at, ...said].join(" ");
}

/** The suspects among the evidence; undefined where nobody could ask for them. */
export function suspectsIn(evidence: readonly Evidence[]): Cited<readonly Suspect[]> | undefined {
  const items = evidence.filter(({ key, finding }) => key === "suspects" && finding.kind === "facts");
  if (items.length === 0) return undefined;
  const value = items.flatMap(({ finding }) =>
    finding.kind === "facts"
      ? Object.entries(finding.facts).flatMap(([sha, said]) => suspectOf(sha, String(said)))
      : [],
  );
  return { value, from: items.map(({ id }) => id) };
}

function suspectOf(sha: string, said: string): Suspect[] {
  const [at = "", ...rest] = said.split(" ");
  const parts = rest.flatMap((text): SuspectPart[] => {
    const [relation, object = "", what = ""] = text.split(":");
    const known = relations.find((one) => one === relation);
    const found = what.split(",").flatMap((word) => aspects.find((one) => one === word) ?? []);
    return known === undefined || found.length === 0 ? [] : [{ relation: known, object, aspects: found }];
  });
  if (!/^[0-9a-f]{40}([0-9a-f]{24})?$/.test(sha) || Number.isNaN(Date.parse(at)) || parts.length === 0) return [];
  return [{ sha, at, parts }];
}

/** How much a change of this aspect speaks for it where nothing else is known. */
const weights: Readonly<Record<Aspect, number>> = {
  ...{ image: 0.9, command: 0.9, configuration: 0.85, secret: 0.85, probe: 0.85, port: 0.85, selector: 0.9 },
  ...{ routing: 0.8, requests: 0.6, "cpu-limit": 0.7, "memory-limit": 0.75, scheduling: 0.6, storage: 0.7 },
  ...{ replicas: 0.5, "scaled-to-zero": 0.9, rollout: 0.5, autoscaler: 0.55, quota: 0.5, dns: 0.85 },
  ...{ "network-policy": 0.9, mesh: 0.85, permissions: 0.8, security: 0.75, admission: 0.6, lifecycle: 0.8 },
  ...{ removed: 0.85, other: 0.5 },
};
const byRelation: Readonly<Record<Relation, number>> = { self: 1, uses: 0.98, calls: 0.9, namespace: 0.9, other: 0.35 };

// These break nothing without a sign of their own in pods, events or measurements.
const needSign: readonly Aspect[] = [
  ...(["scheduling", "storage", "quota", "admission", "autoscaler", "requests", "cpu-limit", "replicas"] as const),
  ...(["memory-limit", "rollout"] as const),
];

const slackMs = 2 * 60_000;
const shortLagMs = 30 * 60_000;
/** A pod that cannot start says so until somebody helps: its alert may wait long for its `for`. */
const longLagMs = 6 * 3_600_000;
const risingTraffic = 1.3;

interface Weighed {
  readonly suspect: Suspect;
  readonly part: SuspectPart;
  readonly aspect: Aspect;
  readonly symptom: Symptom | undefined;
  readonly lagMs: number;
  readonly score: number;
}

/** A cause for each suspect that time and symptoms allow, best first, its strongest part named. */
export function suspectCauses(weighing: Weighing): Omit<Cause, "id">[] {
  const found = (weighing.suspects?.value ?? []).flatMap((suspect) => strongest(suspect, weighing) ?? []);
  const ranked = found.sort((a, b) => b.score - a.score || a.lagMs - b.lagMs);
  return ranked.map((one, index) => causeOf(one, doubtBy(ranked, index), weighing));
}

/** Another suspect that fits nearly as well leaves a doubt which of them it was. */
function doubtBy(ranked: readonly Weighed[], index: number): number {
  const rival = ranked[index === 0 ? 1 : 0];
  const own = ranked[index];
  if (rival === undefined || own === undefined) return 1;
  return 1 - 0.3 * Math.min(1, rival.score / own.score) ** 2;
}

function strongest(suspect: Suspect, weighing: Weighing): Weighed | undefined {
  const lagMs = Date.parse(weighing.changePoint.value) - Date.parse(weighing.effectiveAt(suspect));
  if (lagMs < -slackMs) return undefined;
  const all = suspect.parts.flatMap((part) =>
    part.aspects.map((aspect) => weigh({ suspect, part, aspect, lagMs }, weighing)),
  );
  const best = all.sort((a, b) => b.score - a.score)[0];
  return best === undefined || best.score <= 0 ? undefined : best;
}

function weigh(at: Omit<Weighed, "score" | "symptom">, weighing: Weighing): Weighed {
  const { part, aspect, lagMs } = at;
  const { symptom, fit } = fitOf(at, weighing);
  const relation = part.relation === "other" && isOfCallee(part, weighing) ? "calls" : part.relation;
  const isShown = symptom !== undefined && factsOf(symptom.kind).hard;
  const base = isShown ? Math.max(weights[aspect], 0.92) : weights[aspect];
  const near = isShown ? byRelation[relation] ** 0.5 : byRelation[relation];
  const early = Math.max(0, lagMs);
  const time = isShown ? 1 - 0.3 * (early / longLagMs) : 1 - 0.5 * (early / shortLagMs);
  // Clocks differ and a series has a resolution, but the later after the change point, the less likely is a commit.
  const order = 1 - 0.2 * Math.min(1, Math.max(0, -lagMs) / slackMs);
  const surge = !isShown && (weighing.traffic ?? 1) >= risingTraffic ? 0.6 : 1;
  return {
    ...at,
    symptom,
    score: early > (isShown ? longLagMs : shortLagMs) ? 0 : base * near * time * order * surge * fit,
  };
}

/** A service that the workload was seen to call, or what people name after it: `catalog`, `catalog-ingress`, `deny-catalog`. */
function isOfCallee({ object }: SuspectPart, { callees, workload }: Weighing): boolean {
  const name = object.slice(object.indexOf("/") + 1);
  const called = [...callees].map((one) => one.slice(one.indexOf("/") + 1)).filter((one) => one !== workload.name);
  return called.some((one) => name === one || name.startsWith(`${one}-`) || name.endsWith(`-${one}`));
}

/** How well what is seen fits what was changed, 0 to 1. */
function fitOf(
  { part, aspect }: Pick<Weighed, "part" | "aspect">,
  { symptoms, workload }: Weighing,
): { readonly symptom: Symptom | undefined; readonly fit: number } {
  const name = part.object.slice(part.object.indexOf("/") + 1);
  const fits = symptoms.flatMap((symptom) => {
    const { explainedBy, hard } = factsOf(symptom.kind);
    const place = explainedBy.indexOf(aspect);
    if (place < 0) return [];
    const isNamed = name.length > 3 && name !== workload.name && symptom.texts.some((text) => text.includes(name));
    return [{ symptom, fit: (isNamed ? 1.05 : 1) - 0.04 * place - (hard ? 0 : 0.02) }];
  });
  const best = fits.sort((a, b) => b.fit - a.fit)[0];
  if (best !== undefined) return best;
  const isElsewhere = symptoms.some(({ kind }) => factsOf(kind).hard);
  if (needSign.includes(aspect)) return { symptom: undefined, fit: 0.45 };
  return { symptom: undefined, fit: isElsewhere ? 0.5 : 0.95 };
}

function causeOf(weighed: Weighed, doubt: number, weighing: Weighing): Omit<Cause, "id"> {
  const { suspect, part, aspect, symptom, lagMs, score } = weighed;
  const { workload, suspects, changePoint, states } = weighing;
  const shown =
    symptom === undefined
      ? `, and it began to hurt ${lagText(lagMs)}`
      : `, and the pods of ${workload.name} ${factsOf(symptom.kind).words}`;
  return {
    kind: "bad-change",
    name: nameOfChange(aspect, symptom?.kind) satisfies CauseName,
    workload,
    commit: suspect.sha,
    sentence: `commit ${suspect.sha.slice(0, 7)} changed ${wordsOf[aspect]} of ${part.object}${shown}`,
    confidence: Math.min(0.97, score * doubt),
    citing: [...new Set([...(suspects?.from ?? []), ...(symptom?.from ?? []), ...states, ...changePoint.from])],
    remedies: ["revert-commit"],
  };
}

const wordsOf: Readonly<Record<Aspect, string>> = {
  ...{ image: "the image", command: "the command", lifecycle: "the start and end", configuration: "the configuration" },
  ...{ secret: "a credential", probe: "a probe", port: "a port", selector: "the selector", routing: "the routing" },
  ...{ requests: "the requests", "cpu-limit": "the CPU limit", "memory-limit": "the memory limit" },
  ...{ scheduling: "the placement", storage: "the storage", replicas: "the replicas", rollout: "the rollout" },
  ...{ "scaled-to-zero": "the replicas (to zero)", autoscaler: "the autoscaling", quota: "the quota" },
  ...{ "network-policy": "the network policy", mesh: "the mesh settings", permissions: "the permissions" },
  ...{ security: "the security context", dns: "the name resolution", admission: "the admission" },
  ...{ removed: "the existence", other: "a field" },
};

function lagText(lagMs: number): string {
  return lagMs < 60_000 ? "at once" : `${Math.round(lagMs / 60_000)} min after it took effect`;
}
