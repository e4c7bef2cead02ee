import { z } from "zod";
import { looksAt, type Policy } from "./policy.ts";
import { objectKey, type RenderedObject } from "../kubernetes/rendered.ts";

/** What one policy said of one object. */
export interface PolicyResult {
  readonly policy: string;
  /** See `objectKey`. */
  readonly object: string;
  readonly result: "pass" | "fail" | "warn" | "error" | "skip";
  readonly message: string;
  /** Number of the validation that failed, from 0; undefined when the report names none. */
  readonly validation: number | undefined;
  readonly severity: string | undefined;
  /** True when the policy only audits: shown, not blocking, and nothing is auto-merged. */
  readonly audit: boolean;
}

/** Every policy on every object: passed, refused, or no verdict. Without a verdict a person merges. */
export type PolicyVerdict =
  | { readonly kind: "passed"; readonly results: readonly PolicyResult[]; readonly notEvaluated: readonly string[] }
  | {
      readonly kind: "refused";
      readonly failures: readonly PolicyResult[];
      readonly results: readonly PolicyResult[];
      readonly notEvaluated: readonly string[];
    }
  | {
      readonly kind: "not-evaluated";
      readonly because: string;
      readonly results: readonly PolicyResult[];
      readonly notEvaluated: readonly string[];
    };

/** What is to be judged: policies of the base commit on the copies from `checkedObjects`. */
interface PolicyQuestion {
  readonly files: readonly { readonly path: string; readonly content: string }[];
  readonly objects: readonly RenderedObject[];
}

/** The verdict of policies on rendered objects. Never throws: what cannot be judged is no verdict. */
export interface PolicyEngine {
  judge(question: PolicyQuestion): Promise<PolicyVerdict>;
}

/** What the CLI printed of one batch, and the objects that it must have judged for the report to count. */
export interface BatchReport {
  readonly json: string;
  readonly objects: readonly RenderedObject[];
}

const Report = z.object({
  kind: z.enum(["ClusterReport", "ClusterPolicyReport", "PolicyReport", "Report"]),
  results: z
    .array(
      z.object({
        policy: z.string(),
        result: z.enum(["pass", "fail", "warn", "error", "skip"]),
        message: z.string().default(""),
        severity: z.string().optional(),
        properties: z.record(z.string(), z.string()).default({}),
        resources: z
          .array(
            z.object({
              apiVersion: z.string(),
              kind: z.string(),
              namespace: z.string().default(""),
              name: z.string(),
            }),
          )
          .min(1),
      }),
    )
    .nullish(),
});

/** No verdict at all: the CLI did not run, or what it said cannot be used. */
export function notEvaluated(because: string): PolicyVerdict {
  return { kind: "not-evaluated", because, results: [], notEvaluated: [] };
}

/**
 * Splits the objects so that no batch holds the same one twice: the second definition is in the second batch. Nothing
 * stops a repository from defining an object twice, and the CLI panics over it; each definition has to be judged.
 */
export function batchesOf(objects: readonly RenderedObject[]): readonly (readonly RenderedObject[])[] {
  const batches: RenderedObject[][] = [];
  const copies = new Map<string, number>();
  for (const object of objects) {
    const { namespace, ...metadata } = object.metadata;
    // The CLI takes an object without a namespace for one of "default".
    const key = objectKey({ ...object, metadata: { ...metadata, namespace: namespace || "default" } });
    const copy = copies.get(key) ?? 0;
    copies.set(key, copy + 1);
    (batches[copy] ??= []).push(object);
  }
  return batches;
}

/**
 * Reads the JSON reports of `kyverno apply --policy-report`, one of each batch, as one verdict. The CLI ends with 0
 * when it judged nothing, so that a report counts only when every expected pair of policy and object stands in it: in
 * the report of that very batch, because two definitions of an object have one name.
 */
export function readPolicyReports(reports: readonly BatchReport[], policies: readonly Policy[]): PolicyVerdict {
  const byName = new Map(policies.map((policy) => [policy.name, policy]));
  const read = reports.map(({ json }) => Report.safeParse(parsed(json)).data);
  if (read.includes(undefined)) return notEvaluated("the report of the Kyverno CLI cannot be read");
  const batches = read.map((report) => (report?.results ?? []).flatMap((item) => resultsOf(item, byName)));
  const gaps = reports.map(({ objects }, index) => gapsOf(policies, objects, batches[index] ?? []));
  const results = batches.flat();
  const optional = gaps.flatMap((gap) => gap.optional);
  const open = [...new Set([...contextual(policies), ...optional, ...uncertain(results, byName)])];
  const failures = results.filter((result) => result.result === "fail" && !result.audit);
  if (failures.length > 0) return { kind: "refused", failures, results, notEvaluated: open };
  const because = whyNoVerdict(
    reports,
    results,
    gaps.flatMap((gap) => gap.required),
  );
  if (because !== undefined) return { kind: "not-evaluated", because, results, notEvaluated: open };
  return { kind: "passed", results, notEvaluated: open };
}

/** What stands against merging without a person, although nothing was refused. Empty = the policies agree. */
export function policyLacks(verdict: PolicyVerdict): readonly string[] {
  if (verdict.kind === "not-evaluated") return [`no policy verdict: ${verdict.because}`];
  if (verdict.kind === "refused") return ["a policy refuses it"];
  const shown = verdict.results.filter((result) => result.result === "warn" || (result.audit && failed(result)));
  return [
    ...verdict.notEvaluated.map((what) => `not evaluated here: ${what}`),
    ...shown.map((result) => `policy ${result.policy} warns: ${result.message}`),
  ];
}

type ReportItem = NonNullable<z.infer<typeof Report>["results"]>[number];

function resultsOf(item: ReportItem, byName: ReadonlyMap<string, Policy>): PolicyResult[] {
  const index = Number.parseInt(item.properties["cel.validationIndex"] ?? "", 10);
  const audit = byName.get(item.policy)?.audit ?? false;
  // With `policies.kyverno.io/scored: "false"` the CLI calls a failure a warning; admission refuses the object all the same.
  const result = item.result === "warn" && byName.has(item.policy) && !audit ? "fail" : item.result;
  return item.resources.map((resource) => ({
    policy: item.policy,
    object: objectKey({ ...resource, metadata: { name: resource.name, namespace: resource.namespace } }),
    result,
    message: item.message,
    validation: Number.isNaN(index) ? undefined : index,
    severity: item.severity,
    audit,
  }));
}

interface Gaps {
  readonly required: readonly string[];
  readonly optional: readonly string[];
}

/** Pairs that should stand in the report and do not; a selective policy may have left out an object on purpose. */
function gapsOf(
  policies: readonly Policy[],
  objects: readonly RenderedObject[],
  results: readonly PolicyResult[],
): Gaps {
  const seen = new Set(results.map((result) => pair(result.policy, result.object)));
  const missing = policies
    .filter((policy) => policy.needs === undefined)
    .flatMap((policy) =>
      objects
        .filter((object) => looksAt(policy, object) && !seen.has(pair(policy.name, objectKey(object))))
        .map((object) => ({ policy, text: `policy ${policy.name} on ${objectKey(object)}` })),
    );
  return {
    required: missing.filter(({ policy }) => !policy.selective).map(({ text }) => text),
    optional: missing.filter(({ policy }) => policy.selective).map(({ text }) => text),
  };
}

function contextual(policies: readonly Policy[]): string[] {
  return policies.flatMap((policy) => (policy.needs === undefined ? [] : [`policy ${policy.name}: ${policy.needs}`]));
}

/** A skip is an answer only of a policy that has conditions. */
function uncertain(results: readonly PolicyResult[], byName: ReadonlyMap<string, Policy>): string[] {
  return results
    .filter((result) => result.result === "skip" && byName.get(result.policy)?.selective !== true)
    .map((result) => `policy ${result.policy} on ${result.object}`);
}

function whyNoVerdict(reports: readonly BatchReport[], results: readonly PolicyResult[], missing: readonly string[]) {
  const broken = results.find((result) => result.result === "error");
  if (broken) return `policy ${broken.policy} failed on ${broken.object}: ${broken.message}`;
  if (missing[0] !== undefined) {
    const more = missing.length > 1 ? ` and ${missing.length - 1} more` : "";
    return `the report does not name ${missing[0]}${more}`;
  }
  if (reports.every(({ objects }) => objects.length === 0)) return "there was no object to judge";
  if (results.length === 0) return "no policy judged any object";
  return undefined;
}

function failed({ result }: PolicyResult): boolean {
  return result === "fail" || result === "error";
}

function pair(policy: string, object: string): string {
  return `${policy} ${object}`;
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
