import { renderThreshold } from "../../domain/incident/condition.ts";
import { type Agreement, assessAgreement } from "../../domain/llm/second-opinion.ts";
import { capsuleOf, renderCapsule } from "../../domain/records/capsule.ts";
import { asDecided, type Cause } from "../../domain/root-cause/cause.ts";
import type { OutcomeCause } from "../../domain/proposal/outcome.ts";
import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import type { SecondOpinion } from "../../domain/proposal/body/proposal-body.ts";
import { type Remedy, remedyFor, type RemedyInput } from "../../domain/remedy/remedy.ts";
import type { RiskInput } from "../../domain/gate/risk.ts";
import { followRunbook, type Runbook, runbookFor, type RunbookReading } from "../../domain/remedy/runbook.ts";
import { renderModel } from "../../domain/records/step-cost.ts";
import { workloadKey } from "../../domain/kubernetes/workload.ts";
import type { Ports } from "../../ports/ports.ts";
import { askModel, type ModelWord, remedyIdOf } from "./ask-model.ts";
import type { Observed } from "../collect/collect.ts";
import { loadGuardrails } from "../collect/load-guardrails.ts";
import { runbooksIn } from "../collect/load-runbooks.ts";
import { productVersion } from "../../domain/incident/product-version.ts";
import { known } from "../../ports/errors.ts";
import { consider } from "./own-incidents.ts";

/** What is wrong, who says so, and the remedy that follows. */
export interface Diagnosed {
  readonly kind: "diagnosed";
  readonly cause: Cause;
  /** Every cause that was considered, best first. */
  readonly causes: readonly Cause[];
  /** 0 to 1, of all opinions together; lowered by what is missing. */
  readonly confidence: number;
  /** What should have been known and is not. */
  readonly missing: readonly string[];
  readonly witnesses: RiskInput["witnesses"];
  /** True when only text that users can write supports the cause. */
  readonly taintedOnly: boolean;
  /** Why the opinions ask for a person; empty = they do not. */
  readonly needsPerson: readonly string[];
  readonly secondWitness: SecondOpinion;
  readonly model: ModelWord;
  readonly remedy: Remedy;
  /** It says where the trouble arises and not why: a metric over a window may show the reason later. */
  readonly unexplained?: true;
}

/** Nothing follows. `awaits`: it may, once what the guardrails require is there again. */
interface Abstained {
  readonly kind: "abstained";
  readonly because: string;
  readonly awaits?: "model";
}

export type Diagnosis = Diagnosed | Abstained;

type Asked = Pick<
  Ports,
  "model" | "prompts" | "random" | "github" | "cluster" | "renderer" | "telemetry" | "timings" | "records" | "clock"
>;

// The best few: a model that must choose among many chooses badly, and each costs a look at the cluster.
const mostCauses = 4;

/**
 * The deterministic ranking first, then one question to the model, which chooses among what was enumerated. The
 * precedents are data for the model: they reach neither the ranking nor a remedy.
 */
export async function diagnose(
  incident: Incident,
  observed: Observed,
  precedents: readonly string[],
  ports: Asked,
): Promise<Diagnosis> {
  const { evidence } = observed;
  const versions = { rectify: productVersion };
  const capsule = capsuleOf(incident, evidence, { at: ports.clock.now().toISOString(), versions });
  await ports.records.saveCapsule(incident.uid, renderCapsule(capsule));
  const ranked = capsule.diagnosis;
  const over = recoveryOf(observed);
  if (over !== undefined) return abstained(incident, over, ports);
  if (ranked.kind === "abstained") return abstained(incident, ranked.because, ports);
  const { tree } = await ports.github.head();
  const guardrails = loadGuardrails(tree);
  if (!guardrails.ok) return abstained(incident, guardrails.because, ports);

  const considered = await consider(ranked.causes, incident, ports);
  if (considered.causes.length === 0) return abstained(incident, considered.aside.join("; "), ports);
  const causes = considered.causes.slice(0, mostCauses);
  const runbook = runbookFor(
    readable(runbooksIn(tree)),
    incident,
    causes.map(({ kind }) => kind),
  );
  const asked = { incident, observed, guardrails: guardrails.value, ...wishesOf(runbook) };
  const remedies = await Promise.all(
    causes.map((cause) => remedyOf(cause, { ...asked, treatedBy: considered.incidentOf(cause) }, ports)),
  );
  const ranking = causes.flatMap((cause, index) => (remedies[index] ? [{ cause, remedy: remedies[index] }] : []));
  const followed = runbook && followRunbook(runbook, ranking);
  const model = await askModel(
    { incident, evidence, causes, remedies, precedents, guardrails: guardrails.value },
    ports,
  );
  const chosen = followed ?? ranking[0];
  if (chosen === undefined) return abstained(incident, "no cause stands out", ports);
  const { cause, remedy } = chosen;
  if (runbook) tellRunbook(incident, runbook, followed !== undefined, ports);
  const first = {
    ...cause,
    causeId: cause.id,
    remedyId: remedy.kind === "change" ? remedyIdOf(causes.indexOf(cause)) : "none",
  };
  const agreement = assessAgreement({ ranked: first, said: model, rule: guardrails.value.model, evidence });
  if (agreement.blocked !== undefined) {
    const isAway = model.kind === "absent" && model.mayReturn;
    return { ...abstained(incident, agreement.blocked, ports), ...(isAway ? { awaits: "model" } : {}) };
  }
  ports.telemetry.log(incident.uid, "diagnose", `${cause.sentence} (${agreement.notes.join("; ")})`);
  const { confidence } = agreement;
  const decided = { causeId: cause.id, confidence };
  await ports.records.saveCapsule(incident.uid, renderCapsule({ ...capsule, decided }));
  const { missing, unanswered } = ranked;
  const opinions = opinionFields({ ...agreement, notes: [...agreement.notes, ...considered.aside] }, model);
  const needsPerson = [...opinions.needsPerson, ...doubtsOf(incident, cause, unanswered)];
  const diagnosed = { kind: "diagnosed", cause, causes, confidence, missing, model, remedy, ...opinions } as const;
  return { ...diagnosed, needsPerson, ...(isUnexplained(cause, remedy) ? { unexplained: true } : {}) };
}

/** What nobody saw, a person weighs. */
function doubtsOf({ workload }: Incident, cause: Cause, unanswered: readonly string[]): string[] {
  const untied = cause.stranger ? [`no call from ${workload.name} to ${cause.workload.name} was seen`] : [];
  return [...unanswered.map((what) => `${what}: no whole answer`), ...untied];
}

/** The numbers that people wrote down for what a runbook asks for. */
function wishesOf(runbook: Runbook | undefined): Pick<Known, "target" | "resize"> {
  const remedy = runbook?.remedy;
  return {
    target: remedy?.kind === "scale" ? remedy.targetUtilisation : undefined,
    resize: remedy?.kind === "resources" ? remedy : undefined,
  };
}

function isUnexplained({ kind, remedies }: Cause, remedy: Remedy): boolean {
  return remedy.kind !== "change" && remedies.length === 0 && (kind === "degraded" || kind === "downstream");
}

function tellRunbook(
  { uid }: Incident,
  { path }: Runbook,
  isFollowed: boolean,
  { telemetry }: Pick<Ports, "telemetry">,
) {
  const said = isFollowed ? "is followed" : "asks for a remedy that no cause here has";
  telemetry.log(uid, "diagnose", `${path} ${said}`);
}

/** The diagnosis as the incident's outcome tells it. */
export function outcomeCauseOf({ cause, causes, confidence, missing }: Diagnosed): OutcomeCause {
  const { sentence, citing } = cause;
  const considered = asDecided(causes, { causeId: cause.id, confidence }).map((one) => ({
    sentence: one.sentence,
    confidence: one.confidence,
    citing: one.citing,
  }));
  return { sentence, citing, confidence, missing, considered };
}

/** The alert said one thing, the metric says another now: there is nothing left to fix. */
function recoveryOf({ condition, value, holds }: Observed): string | undefined {
  if (holds !== false) return undefined;
  const { threshold, exact } = condition ?? {};
  if (!exact || threshold === undefined || value === undefined)
    return "already recovered: the query of the alert's rule returns nothing for it any more";
  const seen = Number(value.toPrecision(4));
  return `already recovered: the alert's metric is ${seen} now, and it fires ${renderThreshold(threshold)}`;
}

type OpinionFields = Pick<Diagnosed, "witnesses" | "taintedOnly" | "needsPerson" | "secondWitness">;

function opinionFields({ kind, taintedOnly, needsPerson, notes }: Agreement, model: ModelWord): OpinionFields {
  const answered = model.kind === "answered" ? model : undefined;
  return {
    ...{ witnesses: kind === "none" ? "one" : kind, taintedOnly, needsPerson },
    secondWitness: {
      model: answered && renderModel(answered),
      notes,
      explanation: answered?.explanation,
    },
  };
}

function abstained(incident: Incident, because: string, ports: Pick<Ports, "telemetry">): Abstained {
  ports.telemetry.log(incident.uid, "diagnose", because);
  return { kind: "abstained", because };
}

function readable(readings: readonly RunbookReading[]): readonly Runbook[] {
  return readings.flatMap((reading) => (reading.kind === "runbook" ? [reading.runbook] : []));
}

interface Known {
  readonly incident: Incident;
  readonly observed: Observed;
  readonly guardrails: Guardrails;
  readonly target: number | undefined;
  readonly resize: RemedyInput["resize"];
  /** The uid of the incident that the cause's workload has of its own. */
  readonly treatedBy: string | undefined;
}

async function remedyOf(
  cause: Cause,
  { incident, observed, guardrails, target, resize, treatedBy }: Known,
  ports: Asked,
): Promise<Remedy> {
  if (treatedBy !== undefined) {
    const because = `${cause.sentence}: ${cause.workload.name} has an incident of its own, ${treatedBy}, and what it needs is changed there`;
    return { kind: "none", because };
  }
  const state = await known(() => ports.cluster.workload(cause.workload));
  const { threshold, value, evidence } = observed;
  const own = workloadKey(cause.workload) === workloadKey(incident.workload);
  const metric = own && threshold !== undefined && value !== undefined ? { value, limit: threshold.limit } : undefined;
  return remedyFor({ cause, state, evidence, home: incident.workload, metric, guardrails, target, resize });
}
