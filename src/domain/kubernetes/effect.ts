import { createHash } from "node:crypto";
import { chartOf } from "./chart-values.ts";
import { crossedBound, crossedQuantity, otherBoundOf, otherSideOf } from "./quantity.ts";
import type { ChartRendered, Effect, Entry, ObjectChange, ShownAt, WantedChange } from "./manifest-edit.ts";
import { canonicalText, changesBetween, spelledOut } from "./object-changes.ts";
import { isRecord, objectKey, type Rendered, type RenderedObject } from "./rendered.ts";
import { type Workload, workloadKey } from "./workload.ts";

export { changesBetween };

/** The changes with their hash, which people approve: it survives a rebase and dies with any other effect. */
export function effectOf(changes: readonly ObjectChange[], proof: Effect["proof"]): Effect {
  const lines = changes.map(({ object, field, from, to }) => {
    const { apiVersion, kind, namespace, name } = object;
    return canonicalText([apiVersion, kind, namespace, name, [...field], sideOf(from), sideOf(to)]);
  });
  const hash = createHash("sha256").update(lines.sort().join("\n")).digest("hex");
  return { changes, hash, proof };
}

/** Absent and null are different things to Kubernetes. */
function sideOf(value: unknown): readonly unknown[] {
  return value === undefined ? [] : [value];
}

/** Renderings before and after an edit: of the entry that should change, and of all others, which should not. */
interface ProofInput {
  /** `entry` lets another tool's entry with the same path count as the same place. */
  readonly target: { readonly before: Rendered; readonly after: Rendered; readonly entry?: Entry };
  readonly others: readonly { readonly entry: Entry; readonly before: Rendered; readonly after: Rendered }[];
  readonly wanted: {
    readonly workload: Workload;
    readonly change: WantedChange;
    /** The object that runs the workload, where that is another one. */
    readonly object?: ShownAt["object"];
  };
  /** What the edit changes in the objects of a chart, where the chart itself was rendered before and after. */
  readonly shown?: ChartRendered | undefined;
}

type Proof =
  | {
      readonly kind: "proven";
      readonly effect: Effect;
      /** What differs in the rendering of the target itself, where a chart's own objects are the effect. */
      readonly moved: readonly ObjectChange[];
    }
  | { readonly kind: "refused"; readonly because: string };

/**
 * Shows that exactly the wanted field of the wanted object changes and nothing else, in no entry. Where something on
 * the way cannot be rendered the proof is `static`: true by the source, and a person must look.
 */
export function proofOf(input: ProofInput): Proof {
  const { before, after } = input.target;
  if (before.kind === "unsupported" && after.kind === "unsupported") return argued(input, before.because);
  if (before.kind === "unsupported" || after.kind === "unsupported") {
    const because = before.kind === "unsupported" ? before.because : after.kind === "unsupported" ? after.because : "";
    return refused(`the entry can be rendered only on one side of the edit: ${because}`);
  }
  const changes = notByChance(changesBetween(before.objects, after.objects), input.shown);
  const first = changes[0];
  if (first === undefined && !input.shown) return refused("the edit changes nothing in what the entry renders");
  const doubt = othersDoubt(input, changes);
  if (doubt?.kind === "refused") return refused(doubt.because);
  if (input.shown && changes.every(isHandedToChart) && changes.length < 2) return shownBy(input.shown, doubt, changes);
  const verdict = verdictOf(changes, after.objects, input.wanted);
  if (verdict.kind === "refused") return refused(verdict.because);
  const because = verdict.kind === "static" ? verdict.because : doubt?.because;
  return proven(changes, because === undefined ? { kind: "rendered", with: before.with } : { kind: "static", because });
}

/** The changes without what the chart draws anew each time: each rendering of the entry drew as well. */
function notByChance(changes: readonly ObjectChange[], shown: ProofInput["shown"]): readonly ObjectChange[] {
  const placeOf = ({ object, field }: Pick<ObjectChange, "object" | "field">) =>
    canonicalText([object.kind, object.name, ...field]);
  const drawn = new Set(shown?.byChance?.map(placeOf));
  return drawn.size === 0 ? changes : changes.filter((one) => !drawn.has(placeOf(one)));
}

function proven(changes: readonly ObjectChange[], proof: Effect["proof"], moved = changes): Proof {
  return { kind: "proven", effect: effectOf(changes, proof), moved };
}

/** The entry cannot be rendered: its chart may have been, else the change is argued from the source. */
function argued(input: ProofInput, because: string): Proof {
  const doubt = othersDoubt(input, undefined);
  if (doubt?.kind === "refused") return refused(doubt.because);
  if (input.shown) return shownBy(input.shown, doubt, []);
  return proven([arguedChange(input.wanted)], { kind: "static", because }, []);
}

/** The chart was rendered, so what the entry hands to it needs no guess: its objects say what changes. */
function shownBy(
  shown: NonNullable<ProofInput["shown"]>,
  doubt: Doubt | undefined,
  moved: readonly ObjectChange[],
): Proof {
  const proof = doubt
    ? { kind: "static" as const, because: doubt.because }
    : { kind: "rendered" as const, with: shown.with };
  return proven(shown.changes, proof, moved);
}

function isHandedToChart({ object, field }: ObjectChange): boolean {
  const path = field.join(".");
  if (object.kind === "HelmRelease") return /^spec\.(?:values|postRenderers)(?:\.|$)/.test(path);
  return object.kind === "Application" && /^spec\.sources?(?:\.\d+)?\.helm\./.test(path);
}

function refused(because: string): { readonly kind: "refused"; readonly because: string } {
  return { kind: "refused", because };
}

/** What the edit means by its source: the wanted field, which nobody could render. */
function arguedChange({ workload, change }: Wanted): ObjectChange {
  const apiVersion = { Rollout: "argoproj.io/v1alpha1" }[workload.kind] ?? "apps/v1";
  const fields = change.kind === "image-tag" || change.kind === "replicas" ? [] : change.field.split(".");
  const field = { replicas: ["spec", "replicas"], "image-tag": ["image"] }[change.kind as "replicas"] ?? fields;
  return { object: { apiVersion, ...workload }, field, from: undefined, to: change.to };
}

type Doubt = { readonly kind: "refused" | "static"; readonly because: string };

/**
 * What the other entries say against the edit; undefined when all of them were rendered and none changed. One that
 * cannot be rendered but reads the file may change in any way, which no argument from the source rules out.
 */
function othersDoubt(input: ProofInput, changes: readonly ObjectChange[] | undefined): Doubt | undefined {
  for (const { entry, before, after } of input.others) {
    const name = entry.object ?? entry.path ?? "another entry";
    if (before.kind === "unsupported")
      return refused(`${name} reads the file as well and cannot be rendered: ${before.because}`);
    if (after.kind === "unsupported") return refused(`${name} cannot be rendered after the edit: ${after.because}`);
    const moved = changesBetween(before.objects, after.objects);
    const isTwin = changes !== undefined && isSamePlace(entry, input.target.entry) && isSame(moved, changes);
    const isOwn = moved.every((change) => isControllerOf(change, input.target.entry));
    const first = moved[0];
    if (first !== undefined && !isTwin && !isOwn) return refused(`the edit also changes ${name}: ${describe(first)}`);
  }
  return undefined;
}

/** The entry's own Application or Kustomization, which another entry deploys: what it says is said to this entry. */
function isControllerOf({ object, field }: ObjectChange, target: Entry | undefined): boolean {
  const kind = { argocd: "Application", flux: "Kustomization" }[target?.tool as "flux"];
  return object.kind === kind && field[0] === "spec" && target?.object?.split(/[ /]/)[2] === object.name;
}

/**
 * Flux and Argo CD objects for the same directory describe one place, of which a cluster uses one; two Applications
 * with one destination that make the same objects make one.
 */
function isSamePlace(entry: Entry, target: Entry | undefined): boolean {
  const [left, right] = [entry.spec?.destination, target?.spec?.destination];
  if (left !== undefined && canonicalText(left) === canonicalText(right)) return true;
  const plain = (path: string | null) => (path ?? "?").replace(/^(\.?\/)+|\/+$/g, "");
  const sameCluster = !entry.cluster || !target?.cluster || entry.cluster === target.cluster;
  return target !== undefined && entry.tool !== target.tool && sameCluster && plain(entry.path) === plain(target.path);
}

function isSame(left: readonly ObjectChange[], right: readonly ObjectChange[]): boolean {
  return canonicalText(left) === canonicalText(right);
}

function describe(change: ObjectChange): string {
  return `${workloadKey(change.object)} ${change.field.join(".")}`.trimEnd();
}

type Verdict = { readonly kind: "rendered" } | Doubt;
type Wanted = ProofInput["wanted"];

function verdictOf(changes: readonly ObjectChange[], after: readonly RenderedObject[], wanted: Wanted): Verdict {
  const stranger = changes.find((change) => !isWanted(spelledOut(change), after, wanted));
  const isMany = changes.length > 1 && wanted.change.kind !== "image-tag";
  if (stranger === undefined && !isMany) {
    const { object } = wanted;
    const crossed = changes.map((change) => crossedIn(spelledOut(change), after)).find((one) => one !== undefined);
    if (crossed !== undefined) return refused(crossed);
    if (object?.field === undefined) return { kind: "rendered" };
    return { kind: "static", because: `the operator that reads ${object.kind} ${object.name} was not run` };
  }
  const chart = chartOf(changes, after, wanted);
  if (chart !== undefined)
    return { kind: "static", because: `the chart behind ${workloadKey(chart)} was not rendered` };
  const other = stranger ?? changes[1];
  return refused(other === undefined ? "nothing changes" : `the edit changes ${describe(other)}`);
}

/** Why the API refuses a request above its limit, or bounds that cross: read from what arrives, variables filled in. */
function crossedIn({ object, field, to }: ObjectChange, after: readonly RenderedObject[]): string | undefined {
  const made = after.find((one) => isObject(one, object));
  const [side, last] = [String(field.at(-2)), String(field.at(-1))];
  const isSize = side === "requests" || side === "limits";
  const other = isSize ? [otherSideOf(side), last] : [otherBoundOf(last)];
  const there = [...field.slice(0, -other.length), ...other].reduce<unknown>(
    (here, step) => (here as Record<string, unknown> | undefined)?.[step],
    made,
  );
  const crosses = isSize
    ? crossedQuantity(`${side}.${last}`, to, there)
    : typeof to === "number" && typeof there === "number" && crossedBound(last, to, there);
  if (!crosses) return undefined;
  return `${workloadKey(object)} says ${String(there)} for ${other.join(".")}, beside which the API refuses ${String(to)}`;
}

/** True for the wanted field of the wanted object, set to the wanted value. */
function isWanted(change: ObjectChange, after: readonly RenderedObject[], wanted: Wanted): boolean {
  const { object, change: asked } = wanted;
  const field = change.field.join(".");
  const workload = { ...wanted.workload, ...(object ? { kind: object.kind, name: object.name } : {}) };
  switch (asked.kind) {
    case "replicas":
      return isWorkload(change, workload) && field === (object?.field ?? "spec.replicas") && change.to === asked.to;
    case "hpa":
    case "scaled-object":
      return field === `spec.${asked.field}` && change.to === asked.to && isScaler(change, after, wanted);
    case "resources":
      return (
        isWorkload(change, workload) &&
        isContainerField(change, `resources.${asked.field}`) &&
        String(change.to) === asked.to
      );
    case "image-tag":
      return isWorkload(change, workload) && isContainerField(change, "image") && isRetag(change, asked.to);
  }
}

/** The autoscaler of the workload, or the one that the workload's own is copied from. */
function isScaler(change: ObjectChange, after: readonly RenderedObject[], { workload, change: asked, object }: Wanted) {
  const kind = asked.kind === "hpa" ? "HorizontalPodAutoscaler" : "ScaledObject";
  const isCopied = object?.kind === kind && object.name === change.object.name;
  return change.object.kind === kind && (isCopied || scales(change, after, workload));
}

function isWorkload({ object }: ObjectChange, workload: Workload): boolean {
  return object.kind === workload.kind && object.name === workload.name && isIn(object.namespace, workload);
}

/** Manifests without a namespace get the one of their controller, which the rendering does not show. */
function isIn(namespace: string, workload: Workload): boolean {
  return namespace === workload.namespace || namespace === "";
}

function scales({ object }: ObjectChange, after: readonly RenderedObject[], workload: Workload): boolean {
  const scaler = after.find((candidate) => isObject(candidate, object));
  const spec = scaler !== undefined && isRecord(scaler.spec) ? scaler.spec : {};
  const target = isRecord(spec.scaleTargetRef) ? spec.scaleTargetRef : {};
  const kind = target.kind ?? (object.kind === "ScaledObject" ? "Deployment" : undefined);
  return target.name === workload.name && kind === workload.kind && isIn(object.namespace, workload);
}

function isObject(candidate: RenderedObject, { apiVersion, kind, namespace, name }: ObjectChange["object"]): boolean {
  return objectKey(candidate) === `${apiVersion}/${kind} ${namespace}/${name}`;
}

function isContainerField(change: ObjectChange, field: string): boolean {
  const [spec, template, podSpec, list, index, ...rest] = change.field;
  const isContainer = list === "containers" || (list === "initContainers" && field === "image");
  const isPod = spec === "spec" && template === "template" && podSpec === "spec";
  return isPod && isContainer && typeof index === "number" && rest.join(".") === field;
}

/**
 * Same image, another tag. A digest would win over the tag, so none may be left; where one was, somebody pinned what
 * runs, and a tag would take that away.
 */
function isRetag({ from, to }: ObjectChange, tag: string): boolean {
  if (typeof from !== "string" || typeof to !== "string" || from.includes("@")) return false;
  return nameOf(to) === nameOf(from) && to === `${nameOf(to)}:${tag}`;
}

function nameOf(image: string): string {
  const name = image.split("@")[0] ?? image;
  // A tag that Flux fills in has a colon of its own before what it says otherwise.
  return name.replace(/:(?:\$\{[^}]*\}|[^/:]*)$/, "");
}
