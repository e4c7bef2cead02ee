import type { ManifestEdit } from "../../domain/kubernetes/manifest-edit.ts";
import { suspended, templatedName } from "../edit/helm.ts";
import { editInflated, inflatedObject, overlayInflated } from "../edit/overlay/inflated.ts";
import { editPostRenderer } from "../edit/post-rendered.ts";
import { imageName } from "../trace/images.ts";
import { alreadySaid, refused, type Refusal, whereIs } from "../repository/refusal.ts";
import { type Release, releasesOf } from "../helm/releases.ts";
import { ignoredByArgo } from "../trace/scalers.ts";
import { type FieldQuestion, type EntryBuild, mayBePinned } from "../trace/entry-build.ts";
import { heldBack } from "../arrival/arriving.ts";
import type { Doubt } from "../arrival/doubt.ts";
import { ownedAmong } from "../arrival/owned.ts";
import { notAsHere } from "../arrival/way/by-source.ts";
import { at } from "../yaml/source.ts";
import {
  type Candidate,
  fieldValuesOf,
  keysRead,
  numbersBeside,
  unwrittenCandidates,
  writtenCandidates,
} from "./candidates.ts";
import type { ChartTools, RenderedObject } from "../../domain/kubernetes/rendered.ts";
import { confirmed, type Place } from "./confirm/confirm.ts";
import { arrivingIn, type Budget, markedBuild, spend, tagOf } from "./experiment.ts";
import { placed, placedLiteral } from "./place-value.ts";
import { type Baseline, baselineOf } from "./prepared-release.ts";
import { fieldIn, obstacleIn, type RenderedField } from "./rendered-field.ts";
import { type Literal, literalsIn, withLiterals } from "./literals/template-literals.ts";

/** What the charts of an entry say about a question. */
type ChartAnswer =
  | { readonly kind: "answered"; readonly edit: ManifestEdit }
  /** Every release was rendered, and none makes the workload. */
  | { readonly kind: "not made" }
  /** Some release could not be rendered: conventions may guess, and a person merges. */
  | { readonly kind: "unknown"; readonly because: string | undefined };

const maxRenderings = 12;
const maxReleases = 8;

/** Finds the value behind a field by experiment: renders the releases of an entry, marks their values, reads them off. */
export async function chartAnswer(entryBuild: EntryBuild, tools: ChartTools): Promise<ChartAnswer> {
  const budget: Budget = { left: maxRenderings };
  const all = releasesOf(entryBuild);
  const likely = all.map((release, position) => ({ release, position }));
  likely.sort((a, b) => likeness(b.release, entryBuild.question) - likeness(a.release, entryBuild.question));
  let because: string | undefined;
  for (const { release, position } of likely.slice(0, maxReleases)) {
    const baseline = await baselineOf(entryBuild, release, tools);
    if ("impossible" in baseline) {
      because ??= `${whereIs(release.origin)}: ${baseline.impossible}`;
      continue;
    }
    const field = fieldIn(reachable(baseline, entryBuild.question), entryBuild.question);
    if (field === undefined) continue;
    if ("reason" in field) return { kind: "answered", edit: field };
    const edit = await decide({ entryBuild, position, baseline }, field, { tools, budget });
    const unproven = release.pin ? mayBePinned(release.pin) : notAsHere(entryBuild, release);
    return { kind: "answered", edit: edit.kind === "edit" && unproven !== undefined ? { ...edit, unproven } : edit };
  }
  return because === undefined && likely.length > 0 && likely.length <= maxReleases
    ? { kind: "not made" }
    : { kind: "unknown", because };
}

/** Objects without a namespace go where the release goes: elsewhere they are others of the same name. */
function reachable({ objects, build }: Baseline, { workload }: FieldQuestion): readonly RenderedObject[] {
  return build.namespace === workload.namespace
    ? objects
    : objects.filter((one) => one.metadata.namespace !== undefined);
}

/** Only the order of looking: labels of the workload first, then names. */
function likeness(release: Release, { workload }: FieldQuestion): number {
  const label = workload.labels?.["helm.toolkit.fluxcd.io/name"];
  // A chart may write namespaces of its own, so another namespace only comes later.
  const near = release.namespace === undefined || release.namespace === workload.namespace ? 500 : 0;
  if (label !== undefined && release.resource?.names.includes(label)) return 2000;
  const instance =
    workload.annotations?.["meta.helm.sh/release-name"] ?? workload.labels?.["app.kubernetes.io/instance"];
  if (release.name === instance) return near + 900;
  if (workload.name === release.name || workload.name.startsWith(`${release.name}-`))
    return near + 100 + release.name.length;
  return near + (workload.name.startsWith(release.chart) ? 50 : 0);
}

interface Means {
  readonly tools: ChartTools;
  readonly budget: Budget;
}

async function decide(place: Place, field: RenderedField, means: Means): Promise<ManifestEdit> {
  const { entryBuild, baseline } = place;
  const { release, objects } = baseline;
  const inflated = inflatedObject(entryBuild, release, objects, field.object);
  const held = heldIn(place, field);
  const obstacle =
    suspended(release) ??
    ignored(entryBuild, field) ??
    // What Kustomize says comes after the chart, whatever that makes.
    (inflated && editInflated(inflated, field.path)) ??
    templatedName(release) ??
    obstacleIn(objects, field, entryBuild.question) ??
    (held && "reason" in held ? held : undefined) ??
    already(entryBuild.question, field);
  const found = obstacle ?? (await byWays(place, field, means));
  const edit = found.kind === "edit" || !inflated ? found : overlayInflated(inflated, field.path, found);
  return edit.kind === "edit" && held && "doubt" in held ? { ...edit, unproven: held.doubt } : edit;
}

async function byWays(place: Place, field: RenderedField, means: Means): Promise<ManifestEdit> {
  let why: Refusal | undefined;
  for (const find of waysTo(field, place.entryBuild.question)) {
    const proposed = await find(place, field, means);
    if (proposed === undefined) continue;
    const edit = proposed.kind === "edit" ? await confirmed(place, proposed, field, means) : proposed;
    // Behind the last word of a post-renderer there is no other.
    if (edit.kind === "edit" || find === inPostRenderer) return edit;
    why ??= edit;
  }
  return why ?? unmoved(place.baseline.release, field);
}

/** What stands against the change among the objects of the chart. */
function heldIn({ entryBuild, baseline }: Place, { object, path }: RenderedField): Refusal | Doubt | undefined {
  const { deployer, question } = entryBuild;
  const { change, workload } = question;
  const own = deployer?.kind === "Kustomization" ? "flux" : "argocd";
  const tool = deployer === undefined ? question.entry.tool : own;
  const isOfRelease = baseline.release.resource?.kind === "HelmRelease";
  const { namespace } = workload;
  return (
    heldBack(baseline.objects, { object, path, change, namespace, tool, isOfRelease }) ??
    // Who owns it for certain was found by `obstacleIn`.
    ownedAmong(baseline.objects, { workload, change, outside: namespace })
  );
}

/** An image without a tag comes from a key for the tag that is empty, rather than from the name: that key first. */
function waysTo({ value }: RenderedField, { change }: FieldQuestion): readonly Find[] {
  const isUntagged = change.kind === "image-tag" && tagOf(String(value)) === "";
  return [inPostRenderer, ...(isUntagged ? [unwrittenKey, writtenKey] : [writtenKey, unwrittenKey]), literal];
}

/** What a post-renderer writes comes after all values. */
const inPostRenderer: Find = async ({ entryBuild, baseline }, field, { tools }) => {
  const made = await tools.template(baseline.build);
  return made.kind === "rendered" ? editPostRenderer(entryBuild, baseline.release, made.objects, field) : undefined;
};

function ignored(entryBuild: EntryBuild, { object, path }: RenderedField): Refusal | undefined {
  return ignoredByArgo(entryBuild, { kind: object.kind, names: [object.metadata.name] }, path);
}

function already({ change }: FieldQuestion, { value }: RenderedField): Refusal | undefined {
  const now = change.kind === "image-tag" ? tagOf(String(value)) : String(value);
  if (value === undefined || now !== String(change.to)) return undefined;
  return alreadySaid(`the chart already makes it ${now}`);
}

const unmoved = (release: Release, field: RenderedField): Refusal =>
  refused(
    "chart-hardcoded",
    `${whereIs(release.origin)}: no value of the chart ${release.chart} moves ${field.path.join(".")} of ${field.object.kind} ${field.object.metadata.name}`,
    "Make the chart read it from its values first.",
  );

type Find = (place: Place, field: RenderedField, means: Means) => Promise<ManifestEdit | undefined>;

/** A value that is written somewhere, be it in the chart's own defaults. */
const writtenKey: Find = async (place, field, means) => {
  const { baseline } = place;
  if (field.value === undefined) return undefined;
  const numbers = numbersBeside(baseline.objects);
  const candidates = writtenCandidates(baseline.effective, fieldValuesOf(baseline.objects), numbers);
  return keyAmong(candidates, place, field, means);
};

/** A key that nobody wrote yet and that the chart would read. */
const unwrittenKey: Find = async (place, field, means) => {
  const { baseline } = place;
  const { change } = place.entryBuild.question;
  const wanted = change.kind === "resources" ? change.field : change.kind === "image-tag" ? "tag" : "count";
  const read = keysRead(baseline.files, means.tools);
  const numbers = { ...numbersBeside(baseline.objects), tag: tagOf(String(field.value)) };
  const candidates = unwrittenCandidates(baseline.effective, read, wanted, numbers);
  // A search among keys that may not exist leaves enough for what is certainly there.
  const budget = { left: Math.max(1, means.budget.left - reserved) };
  const before = budget.left;
  let answer: ManifestEdit | undefined;
  for (let n = 0; n < candidates.length && answer === undefined; n += atOnce)
    answer = await keyAmong(candidates.slice(n, n + atOnce), place, field, { ...means, budget });
  means.budget.left -= before - budget.left;
  return answer;
};

const reserved = 4;

/** How many keys that may not exist are marked in one rendering: charts choke on some of them. */
const atOnce = 200;

async function keyAmong(
  candidates: readonly Candidate[],
  place: Place,
  field: RenderedField,
  means: Means,
): Promise<ManifestEdit | undefined> {
  const { entryBuild, baseline } = place;
  const found = await arrivingIn(field, candidates, (some) =>
    spend(means.budget, baseline.tools, markedBuild(baseline.build, baseline.effective, some)),
  );
  if (found === undefined) return undefined;
  const to = valueFor(entryBuild.question, field, found, baseline.effective);
  if (to === undefined)
    return refused(
      "ambiguous-values-key",
      `${found.path.join(".")} is only a part of ${String(field.value)}`,
      "Make this change by hand.",
    );
  const above = otherSource(baseline.release, found);
  if (above) return above;
  const change = { ...entryBuild.question.change, to } as FieldQuestion["change"];
  const asked = { ...entryBuild, question: { ...entryBuild.question, change } };
  const image = found.as === "image" ? `${imageName(String(writtenAt(baseline.effective, found)))}:${to}` : undefined;
  return placed(asked, baseline.release, found, image);
}

const writtenAt = (values: unknown, { path }: Candidate): unknown =>
  path.reduce<unknown>((here, step) => (here as Record<string | number, unknown> | undefined)?.[step], values);

/** Values that this repository does not show may win, unless the value stands in the layer above them. */
function otherSource(release: Release, { path }: Candidate): Refusal | undefined {
  const last = release.layers.at(-1);
  const isLast = last !== undefined && at(last.values, path) !== undefined;
  const source = release.uncertain ?? (isLast ? undefined : release.unseen[0]);
  return (
    source &&
    refused(
      "other-source",
      `${whereIs(source)} brings values that may win over ${path.join(".")}`,
      "Look at that source first.",
    )
  );
}

/** What the key must say so that the field says what is wanted: a chart may write something before a tag. */
function valueFor(
  { change }: FieldQuestion,
  field: RenderedField,
  found: Candidate,
  values: unknown,
): string | number | undefined {
  if (found.as !== "tag") return change.to;
  const written = writtenAt(values, found);
  const now = tagOf(String(field.value));
  const text = written === undefined || written === null || written === "" ? now : String(written);
  if (!now.endsWith(text)) return undefined;
  const before = now.slice(0, now.length - text.length);
  const wanted = String(change.to);
  return wanted.startsWith(before) ? wanted.slice(before.length) : undefined;
}

/** A value that the template writes down itself. */
const literal: Find = async (place, field, means) => {
  const { entryBuild, baseline } = place;
  const { directory } = baseline.release;
  if (directory === undefined || field.value === undefined) return undefined;
  const now = entryBuild.question.change.kind === "image-tag" ? tagOf(String(field.value)) : String(field.value);
  const literals = literalsIn(entryBuild.tree, directory, baseline.files, numbersBeside(baseline.objects));
  const fitting = literals.filter((one) => one.text === now);
  const found = await arrivingIn<Literal>(field, fitting, (some) =>
    spend(means.budget, baseline.tools, withLiterals(baseline.build, some)),
  );
  return found && placedLiteral(entryBuild, baseline.release, found);
};
