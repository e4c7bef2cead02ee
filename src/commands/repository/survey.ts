import type { Rendered } from "../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { workloadKey } from "../../domain/kubernetes/workload.ts";
import { directoryTree } from "../../adapters/cli-tools/directory-tree.ts";
import { entriesOf } from "../../manifests/gitops/entries.ts";
import { unreachedEntry } from "../../manifests/trace/entry.ts";
import { type Answer, answerQuestion } from "../../manifests/locate/answer.ts";
import { withMadeDeployers } from "../../manifests/locate/made-deployers.ts";
import { entryQuestions } from "../../manifests/locate/survey-releases.ts";
import type { SurveyQuestion } from "../../manifests/locate/survey-questions.ts";
import { entryName } from "./locate-entry.ts";
import { notLookedInto, tableOf } from "./survey-table.ts";
import { type Overlooked, overlookedIn } from "./overlooked.ts";
import { installedTools, type Tools } from "./tools.ts";

/** One field of one workload: where Rectify would edit it, or why not. */
interface SurveyItem {
  readonly entry: string;
  readonly workload: string;
  readonly field: string;
  readonly outcome: "proved" | "static" | "refused";
  /** `path:line` of the edit. */
  readonly place?: string;
  readonly reason?: string;
  readonly because?: string;
  readonly fix?: string;
}

/** What Rectify would find in a repository. */
interface Survey {
  readonly entries: number;
  readonly workloads: number;
  readonly questions: number;
  readonly proved: number;
  readonly static: number;
  /** Refusals by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** Entries whose workloads are unknown, and why. */
  readonly unrendered: readonly { readonly entry: string; readonly because: string }[];
  /** What nothing in the repository says how to deploy. */
  readonly overlooked: Overlooked;
  readonly items: readonly SurveyItem[];
}

export interface SurveyAsked {
  readonly prove?: true;
  readonly json?: true;
}

interface Out {
  readonly write: (line: string) => void;
  readonly progress: (line: string) => void;
}

/** Surveys a directory and prints it, as a table for people or as one JSON object. */
export async function surveyCommand(directory: string, asked: SurveyAsked, out: Out): Promise<void> {
  const survey = await surveyTree(directoryTree(directory), installedTools(asked.prove === true), out.progress);
  out.write(asked.json ? JSON.stringify(survey) : inWords(survey, asked.prove === true).join("\n"));
}

/** Asks every workload that an entry renders for every field that Rectify may change. Writes nothing. */
export async function surveyTree(written: Tree, tools: Tools, progress: (line: string) => void): Promise<Survey> {
  const { tree } = await withMadeDeployers(written, tools.render);
  const entries = entriesOf(tree);
  const items: SurveyItem[] = [];
  const unrendered: { entry: string; because: string }[] = [];
  const remembered = rememberedFor(tree, tools);
  for (const [n, entry] of entries.entries()) {
    progress(`${n + 1} of ${entries.length} entries: ${entryName(entry)}`);
    const rendered = await remembered(tree, entry);
    // Nobody named this entry: it is only the one that stands here.
    const unreached = unreachedEntry(tree, entry);
    const ask = async (question: SurveyQuestion) =>
      itemOf(question, doubted(await answerQuestion(tree, question, remembered, tools.charts), unreached));
    const asked = await entryQuestions({ tree, entry }, rendered, tools.charts);
    items.push(...(await atOnce(asked.questions, tools.atOnce, ask)));
    for (const { release, because } of asked.unrendered)
      unrendered.push({ entry: release ?? entryName(entry), because });
  }
  const refused: Record<string, number> = {};
  for (const { reason } of items) if (reason !== undefined) refused[reason] = (refused[reason] ?? 0) + 1;
  const count = (outcome: SurveyItem["outcome"]) => items.filter((item) => item.outcome === outcome).length;
  return {
    entries: entries.length,
    workloads: new Set(items.map((item) => `${item.entry} ${item.workload}`)).size,
    questions: items.length,
    proved: count("proved"),
    static: count("static"),
    refused,
    unrendered,
    overlooked: overlookedIn(tree),
    items,
  };
}

/** The workloads that have a field which Rectify could edit, as namespace/Kind/name: the first that answers is enough. */
export async function editableWorkloads(written: Tree, tools: Tools): Promise<ReadonlySet<string>> {
  const { tree } = await withMadeDeployers(written, tools.render);
  const remembered = rememberedFor(tree, tools);
  const editable = new Set<string>();
  for (const entry of entriesOf(tree)) {
    const { questions } = await entryQuestions({ tree, entry }, await remembered(tree, entry), tools.charts);
    for (const question of questions) {
      const name = workloadKey(question.workload);
      if (editable.has(name)) continue;
      const answer = await answerQuestion(tree, question, remembered, tools.charts);
      if (answer.kind !== "refused") editable.add(name);
    }
  }
  return editable;
}

/** Asks some at a time, so that what they want rendered can be rendered together. */
async function atOnce<T, R>(all: readonly T[], many: number, ask: (one: T) => Promise<R>): Promise<R[]> {
  const answers: R[] = [];
  for (let start = 0; start < all.length; start += many)
    answers.push(...(await Promise.all(all.slice(start, start + many).map(ask))));
  return answers;
}

/** The repository as it is is rendered once for all questions. */
function rememberedFor(before: Tree, { render }: Tools): Tools["render"] {
  const known = new Map<string, Promise<Rendered>>();
  return (tree, entry) => {
    if (tree !== before) return render(tree, entry);
    const { tool, path, object, cluster } = entry;
    const key = JSON.stringify([tool, path, object, cluster, "file" in entry ? entry.file : ""]);
    const made = known.get(key) ?? render(tree, entry);
    known.set(key, made);
    return made;
  };
}

function doubted(answer: Answer, because: string | undefined): Answer {
  if (because === undefined || answer.kind === "refused" || answer.effect.proof.kind === "static") return answer;
  return { ...answer, effect: { ...answer.effect, proof: { kind: "static", because } } };
}

function itemOf({ entry, workload, field }: SurveyQuestion, answer: Answer): SurveyItem {
  const about = { entry: entryName(entry), workload: workloadKey(workload), field };
  if (answer.kind === "refused") {
    const { reason, because, fix } = answer;
    return { ...about, outcome: "refused", reason, because, fix };
  }
  const { proof } = answer.effect;
  const because = proof.kind === "static" ? { because: proof.because } : {};
  const [file] = answer.files;
  const place = file ? { place: `${file.path}:${firstChange(file.before ?? "", file.after)}` } : {};
  return { ...about, outcome: proof.kind === "rendered" ? "proved" : "static", ...place, ...because };
}

/** The number of the first line that differs. */
function firstChange(before: string, after: string): number {
  const [old, now] = [before.split("\n"), after.split("\n")];
  const line = now.findIndex((text, n) => text !== old[n]);
  return (line < 0 ? now.length : line) + 1;
}

function perWorkload(items: readonly SurveyItem[]): SurveyItem[][] {
  const groups = new Map<string, SurveyItem[]>();
  for (const item of items) {
    const key = `${item.workload}  ${item.entry}`;
    groups.set(key, [...(groups.get(key) ?? []), item]);
  }
  return [...groups.values()];
}

function rowOf({ field, outcome, place = "", reason, because, fix }: SurveyItem) {
  if (outcome === "refused") return { field, outcome, text: `${because} (${reason})`, ...(fix ? { fix } : {}) };
  return { field, outcome, text: because === undefined ? place : `${place}  not proved: ${because}` };
}

function inWords(survey: Survey, prove: boolean): string[] {
  const { charts, perhaps, sets, open } = survey.overlooked;
  const overlooked = Object.values(survey.overlooked).flat();
  if (survey.entries + survey.unrendered.length + overlooked.length === 0)
    return [
      "No entry of Flux, Argo CD or Kustomize and no manifest was found here: name the checkout of a GitOps repository.",
    ];
  const lines: string[] = [];
  for (const items of perWorkload(survey.items)) {
    const [first] = items;
    if (first) lines.push(...tableOf(`${first.workload}  ${first.entry}`, items.map(rowOf)));
  }
  for (const line of notLookedInto(survey)) lines.push(...tableOf(line, []));
  const reasons = Object.entries(survey.refused).sort(([, left], [, right]) => right - left);
  const refused = reasons.reduce((sum, [, n]) => sum + n, 0);
  const helping = prove || survey.unrendered.length === 0 ? "" : " (--prove asks kustomize or kubectl)";
  lines.push(
    "",
    `${survey.workloads} workloads in ${survey.entries} entries, ${survey.questions} questions:`,
    `  ${survey.proved} edits proved by rendering`,
    `  ${survey.static} by the source alone (a person must look)`,
    `  ${refused} refused`,
    ...reasons.map(([reason, n]) => `  ${String(n).padStart(6)}  ${reason}`),
    `  entries that could not be rendered here: ${survey.unrendered.length}${helping}`,
    ...(sets.length === 0 ? [] : [`  ApplicationSets of which the cluster alone knows applications: ${sets.length}`]),
    ...(open.length === 0 ? [] : [`  objects whose own path is filled in elsewhere: ${open.length}`]),
    ...(perhaps.length === 0 ? [] : [`  charts that such a path may lead to: ${perhaps.length}`]),
    ...(charts.length === 0 ? [] : [`  charts that nothing here is known to deploy: ${charts.length}`]),
  );
  return lines;
}
