import { nearestWord } from "../text/nearest-word.ts";
import { spokenLines } from "./spoken/lines.ts";

/** One line that a person wrote to the bot. */
export type Command =
  /** Whatever is proposed, with the permission of the command that names it. */
  | { readonly kind: "approve" }
  | { readonly kind: "approve-scale"; readonly replicas?: number }
  /** `all`: the whole commit is to be reverted, not only what bears on the workload. */
  | { readonly kind: "approve-revert"; readonly all: boolean }
  | { readonly kind: "reject"; readonly reason: string }
  | { readonly kind: "hold"; readonly reason: string }
  | { readonly kind: "resume" | "retry" | "rollback" | "forget" | "help" }
  | { readonly kind: "explain" }
  | { readonly kind: "open"; readonly incident: string }
  | { readonly kind: "dispute"; readonly reason: string }
  /** A known word with an argument that it does not take; `problem` never repeats the argument. */
  | { readonly kind: "invalid"; readonly word: CommandWord; readonly problem: string }
  /** A slash word that is not ours. Without `didYouMean` it may belong to another bot: say nothing. */
  | { readonly kind: "unknown"; readonly word: string; readonly didYouMean?: CommandWord };

export const commandWords = [
  "approve",
  "approve-scale",
  "approve-revert",
  "reject",
  "hold",
  "resume",
  "retry",
  "rollback",
  "open",
  "explain",
  "dispute",
  "forget",
  "help",
] as const;

/** The words of the grammar, as they are written after the slash. */
type CommandWord = (typeof commandWords)[number];

/** The words that have rules of their own: `/approve` is judged by that of the command which names the remedy. */
export type RuledWord = Exclude<CommandWord, "approve">;

export const ruledWords = commandWords.filter((word): word is RuledWord => word !== "approve");

/** What each command does, for those who ask. */
const meanings: Readonly<Record<CommandWord, string>> = {
  approve: "approves exactly what is proposed, with the permission for /approve-scale or /approve-revert",
  "approve-scale": "approves this exact change, or with a number plans it anew",
  "approve-revert": "approves this exact revert of a commit, or with `all` plans that of the whole commit",
  reject: "closes the proposal for good",
  hold: "stops the merge until /resume",
  resume: "ends a hold",
  retry: "plans the change anew on the branch as it is now",
  rollback: "proposes to revert a merged change",
  open: "on the dashboard issue, with an Incident-UID, opens that pull request now",
  explain: "says why this is proposed",
  dispute: "says that the record is wrong: no precedent any more",
  forget: "takes the incident out of the memory",
  help: "prints this list",
};

/** All commands in one line. */
export function renderHelp(): string {
  return `the commands are ${commandWords.map((word) => `/${word} (${meanings[word]})`).join(", ")}`;
}

// What people cry in a hurry.
const otherWords: ReadonlyMap<string, CommandWord> = new Map([["stop", "hold"]]);

const uid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const mostCommands = 3;
const longestReason = 300;

/**
 * The commands of a comment, at most three. A command stands at the very start of a line of the writer's own plain
 * text. Where Markdown or mail is ambiguous the line is not a command.
 * A body with one of our hidden markers is our own text and holds none.
 */
export function parseCommands(body: string): readonly Command[] {
  if (body.includes("<!-- rectify:")) return [];
  return spokenLines(body)
    .flatMap((line) => commandOf(line) ?? [])
    .slice(0, mostCommands);
}

/** Why this number cannot be asked for, with the allowed range; undefined when it can. */
export function replicasProblem(
  replicas: number,
  bounds: { readonly minReplicas: number; readonly maxReplicas: number },
): string | undefined {
  if (Number.isInteger(replicas) && replicas >= bounds.minReplicas && replicas <= bounds.maxReplicas) return undefined;
  return `the number of replicas must be from ${bounds.minReplicas} to ${bounds.maxReplicas} (guardrails)`;
}

function commandOf(line: string): Command | undefined {
  const match = /^\/([A-Za-z][A-Za-z-]{0,39})(?:[ \t]+(.*))?$/.exec(line.trimEnd());
  if (!match?.[1]) return undefined;
  const word = commandWords.find((known) => known === match[1]) ?? otherWords.get(match[1]);
  if (word === undefined) return unknown(match[1]);
  return withArgument(word, match[2] ?? "");
}

function unknown(word: string): Command {
  const nearest = nearestWord(word, commandWords);
  const near =
    commandWords.find((known) => known === nearest) ?? commandWords.find((known) => known.startsWith(`${word}-`));
  return { kind: "unknown", word, ...(near === undefined ? {} : { didYouMean: near }) };
}

function withArgument(word: CommandWord, argument: string): Command {
  switch (word) {
    case "approve-scale":
      if (argument === "") return { kind: word };
      if (/^[1-9][0-9]{0,3}$/.test(argument)) return { kind: word, replicas: Number(argument) };
      return { kind: "invalid", word, problem: "takes nothing or one whole number of replicas, such as 6" };
    case "approve":
      if (argument === "") return { kind: word };
      return { kind: "invalid", word, problem: "takes no argument: /approve-scale takes a number of replicas" };
    case "approve-revert":
      if (argument === "" || argument === "all") return { kind: word, all: argument === "all" };
      return { kind: "invalid", word, problem: "takes nothing or the word all" };
    case "reject":
    case "hold":
    case "dispute":
      return { kind: word, reason: bounded(argument) };
    case "open":
      if (uid.test(argument)) return { kind: "open", incident: argument };
      return { kind: "invalid", word, problem: "takes one Incident-UID, as the dashboard issue lists it" };
    case "explain":
    case "help":
      return { kind: word };
    default:
      return argument === "" ? { kind: word } : { kind: "invalid", word, problem: "takes no argument" };
  }
}

/** Visible characters of one line, cut. */
function bounded(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Cf}]/gu, "")
    .trim()
    .slice(0, longestReason);
}
