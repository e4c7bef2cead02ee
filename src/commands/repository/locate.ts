import { readFileSync, statSync } from "node:fs";
import { basename, isAbsolute, join, posix, resolve } from "node:path";
import { z } from "zod";
import { directoryTree } from "../../adapters/cli-tools/directory-tree.ts";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import { isRecord } from "../../domain/kubernetes/rendered.ts";
import { type Tree, treeOf } from "../../domain/kubernetes/tree.ts";
import { answerSchema, inWords, type LineAnswer, lineOf } from "./locate-answer.ts";
import { entriesThatMake, entryName } from "./locate-entry.ts";
import { installedTools, type Tools } from "./tools.ts";
import { questionInWords, questionSchema, readQuestion } from "./locate-question.ts";
import { answerQuestion } from "../../manifests/locate/answer.ts";

export interface LocateAsked {
  readonly tree: string;
  /** A file of questions, one JSON object a line; `-` is the standard input. */
  readonly questions?: string;
  /** Render with Kustomize and Helm where they are installed, not only with what is built in. */
  readonly prove?: true;
  readonly schema?: true;
  readonly json?: true;
  readonly entry?: string;
  readonly tool?: string;
  readonly object?: string;
  readonly container?: string;
}

type Write = (line: string) => void;

/**
 * Answers one question in words, or a file of questions as JSON lines. Code 1 when a single question is refused, or
 * when a line of a file has an error for its answer; refusals there are answers.
 */
export async function locateCommand(words: readonly string[], asked: LocateAsked, write: Write): Promise<number> {
  if (asked.schema) {
    const schema = { question: z.toJSONSchema(questionSchema), answer: z.toJSONSchema(answerSchema) };
    write(JSON.stringify(schema, null, 2));
    return 0;
  }
  const tools = installedTools(asked.prove === true);
  const trees = treesBelow(asked.tree);
  if (asked.questions !== undefined) {
    let code = 0;
    for (const line of linesOf(readFileSync(asked.questions === "-" ? 0 : asked.questions, "utf8"))) {
      const answer = await answerOf(line, trees, tools);
      if (answer.outcome === "error") code = 1;
      write(JSON.stringify(answer));
    }
    return code;
  }
  const [workload, change] = words;
  if (workload === undefined || change === undefined) {
    write("Say what is asked: rectify locate shop/Deployment/web replicas=5, or --questions FILE.");
    return 2;
  }
  const answer = await answerInWords(questionInWords(workload, change, asked.container), asked, { trees, tools });
  write(asked.json ? JSON.stringify(answer) : inWords(`${workload} ${change}`, answer).join("\n"));
  return answer.outcome === "edit" ? 0 : 1;
}

/** Whoever asks in words need not know what deploys a workload: where one entry makes it, that is meant. */
async function answerInWords(
  question: unknown,
  { tool, entry: path, object }: LocateAsked,
  { trees, tools }: { readonly trees: Trees; readonly tools: Tools },
): Promise<LineAnswer> {
  const named = { ...(question as object), entry: { tool, path, object } };
  const read = readQuestion(named);
  const tree = trees({});
  if (!read.ok || typeof tree === "string") return answerOf(named, trees, tools);
  const fits = (entry: Entry) =>
    (tool === undefined || entry.tool === tool) &&
    (path === undefined || posix.normalize(entry.path ?? "") === posix.normalize(path)) &&
    (object === undefined || entry.object === object);
  const [maker, ...others] = (await entriesThatMake(tree, read.value.workload, tools)).filter(fits);
  if (maker === undefined) return answerOf(named, trees, tools);
  if (others.length === 0) return answerOf({ ...(question as object), entry: maker }, trees, tools);
  const makers = [maker, ...others].map(entryName);
  const because = `${makers.length} entries make it: ${makers.slice(0, 5).join(", ")}${makers.length > 5 ? " …" : ""}`;
  const fix = "Name the one that you mean by --entry DIRECTORY, or by --object 'Kustomization flux-system/apps'.";
  return { outcome: "refused", refusal: { reason: "ambiguous", because, fix } };
}

/** JSON lines, or one JSON document: a list of questions, or an object with `cases` or `questions`. */
function linesOf(text: string): readonly unknown[] {
  const whole = parsed(text);
  if (whole.ok) {
    const { value } = whole;
    if (Array.isArray(value)) return value;
    const list = isRecord(value) ? (value.cases ?? value.questions) : undefined;
    return Array.isArray(list) ? list : [value];
  }
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  return lines.map((line, index) => {
    const one = parsed(line);
    return one.ok ? one.value : { unreadable: `line ${index + 1} is no JSON: ${one.problem}` };
  });
}

type Parsed = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly problem: string };

function parsed(text: string): Parsed {
  try {
    return { ok: true, value: JSON.parse(text) as unknown };
  } catch (error) {
    return { ok: false, problem: error instanceof Error ? error.message : String(error) };
  }
}

/** One bad line is one answer with an error: the others are still answered. */
async function answerOf(line: unknown, trees: Trees, tools: Tools): Promise<LineAnswer> {
  // A question may stand in a field of its own, beside its files and its id.
  const flat = isRecord(line) && isRecord(line.question) ? { ...line, ...line.question } : line;
  const id =
    isRecord(flat) && (typeof flat.id === "string" || typeof flat.id === "number") ? String(flat.id) : undefined;
  const named = id === undefined ? {} : { id };
  const failed = (error: string): LineAnswer => ({ ...named, outcome: "error", error });
  if (isRecord(flat) && typeof flat.unreadable === "string") return failed(flat.unreadable);
  const question = readQuestion(isRecord(flat) ? { ...flat, id } : flat);
  if (!question.ok) return failed(question.problem);
  const tree = trees(flat as Record<string, unknown>);
  if (typeof tree === "string") return failed(tree);
  try {
    return { ...named, ...lineOf(await answerQuestion(tree, question.value, tools.render, tools.charts)) };
  } catch (error) {
    return failed(
      `this is a mistake of Rectify, please report it: ${error instanceof Error ? error.message : "unknown"}`,
    );
  }
}

/** The tree that a question means, or what is wrong with it. */
type Trees = (question: Record<string, unknown>) => Tree | string;

function treesBelow(root: string): Trees {
  const known = new Map<string, Tree>();
  return (question) => {
    const files = isRecord(question.files) ? question.files : question.tree;
    if (isRecord(files)) return treeOf(files as Record<string, string>);
    const place = placeOf(root, question);
    const tree = known.get(place);
    if (tree) return tree;
    if (!isDirectory(place)) return `tree: ${place} is no directory`;
    const read = directoryTree(place);
    // Questions about one repository stand together: the tree before it is not kept.
    known.clear();
    known.set(place, read);
    return read;
  };
}

/** `tree` names a directory; `repo` and `commit` name the folder OWNER+NAME@COMMIT10 of a corpus. */
function placeOf(root: string, { tree, repo, commit }: Record<string, unknown>): string {
  if (typeof tree === "string" && tree !== "") {
    if (isAbsolute(tree)) return tree;
    const below = join(root, tree);
    return isDirectory(below) || basename(resolve(root)) !== basename(tree) ? below : root;
  }
  if (typeof repo !== "string") return root;
  const name = repo.replace("/", "+");
  const short = typeof commit === "string" ? `${name}@${commit.slice(0, 10)}` : name;
  return [join(root, short), join(root, name)].find(isDirectory) ?? root;
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
