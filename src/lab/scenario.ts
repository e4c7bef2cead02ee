import type { Ending } from "../domain/incident/incident.ts";
import type { LabRule } from "./cluster/metrics/rules.ts";
import type { ServiceModel } from "./cluster/simulation/service-model.ts";
import type { BadImage } from "./cluster/world.ts";
import type { LabFault } from "./cluster/simulation/fault-state.ts";
import type { ForgeOptions } from "./forge/forge.ts";
import type { Settings } from "../settings/settings.ts";
import { type LabRun, type LabWorld, until } from "./start.ts";
import type { Rectify } from "../main.ts";
import type { Telemetry } from "../ports/runtime.ts";

/** A scenario of the lab: the world it runs in, what people do, and how it must end. */
export interface Scenario {
  readonly about: string;
  /** Keys that replace those of the lab's guardrails file. */
  readonly guardrails?: Readonly<Record<string, unknown>>;
  readonly world?: ScenarioWorld;
  /** A tool that the scenario cannot do without: where it is missing, the scenario is skipped. */
  readonly needs?: "kyverno";
  /** Files of the lab's repository that are changed before the scenario begins. */
  readonly files?: Readonly<Record<string, (text: string) => string>>;
  /** Earlier incidents of the same kind that the same remedy fixed. */
  readonly past?: number;
  /** Another world than that of one repository, and another Rectify than one process. */
  readonly opens?: {
    readonly world: (directory: string, scenario: Scenario) => Promise<LabWorld>;
    readonly rectify: (settings: Settings, telemetry: Telemetry) => Promise<Rectify>;
  };
  /** What happens after the shop runs quietly; returns when the people have nothing more to do. */
  readonly run: (run: LabRun) => Promise<void>;
  /** How it must end, or what tells from its end what is wrong with it. */
  readonly expected: Expected | ((run: LabRun, incident: string) => Promise<readonly string[]>);
}

interface ScenarioWorld {
  /** The workload that no number of replicas can help. */
  readonly noHelp?: string;
  /** Asks the scripted stand-in even where a real model is configured. */
  readonly scriptedModel?: boolean;
  readonly watchtower?: Settings["watchtower"];
  /** Also alert on trends. */
  readonly predictive?: boolean;
  /** The cluster is simulated in larger steps, or in twice as large ones: there are many workloads. */
  readonly coarse?: 1 | 2;
  /** Only this workload has alerts. */
  readonly alertsOf?: string;
  readonly badImages?: readonly BadImage[];
  readonly fault?: LabFault;
  /** The alerts there are, instead of the lab's own. */
  readonly rules?: readonly LabRule[];
  /** How single workloads serve, instead of as the shop's do. */
  readonly services?: Readonly<Record<string, ServiceModel>>;
  /** Argo CD with label tracking, its application in a namespace of a team, instead of Flux. */
  readonly gitops?: "argocd by label";
  /** How the organisation set GitHub up. */
  readonly github?: Partial<
    Pick<ForgeOptions, "settings" | "rulesetChecks" | "hostName" | "unregistered" | "origin" | "firstId">
  >;
  /** Files that replace those of the repository, by path. */
  readonly files?: Readonly<Record<string, string>>;
}

export interface Expected {
  readonly ending: Ending;
  readonly merged: boolean;
  readonly recovered: boolean;
  readonly pulls: number;
  /** What the stated reason must name. */
  readonly because?: string;
}

/** Requests per second that two replicas of web cannot serve. */
export const peak = 260;

/** The person who answers for the shop. */
export const approver = "sre-anna";

/** The App that runs the repository's own checks. */
export const ciApp = 15_368;

/** What people need to speak: the forge, and someone who tells it. */
type Forum = Pick<LabRun, "forge" | "say">;

/** The number of the pull request, once it is there with its sticky comment. */
export async function pullOpened(run: Forum, count = 1): Promise<number> {
  const pull = await until(`pull request ${count}`, () => run.forge.pulls()[count - 1]);
  await until("the sticky comment", () => run.forge.comments(pull.number).length > 0);
  return pull.number;
}

export async function rush(run: LabRun): Promise<void> {
  run.say("visitors", `${peak} requests a second`);
  run.cluster.setLoad("web", peak);
}

export async function approve(run: Forum, pull: number): Promise<void> {
  await comment(run, pull, { by: approver, body: "/approve" });
}

/** Writes a comment; the answer is its id. */
export async function comment(
  run: Forum,
  pull: number,
  { by, body }: { readonly by: string; readonly body: string },
): Promise<number> {
  run.say(by, `${body.replaceAll("\n", " ")} on #${pull}`);
  return run.forge.comment(pull, by, body);
}

export async function passCi(run: Forum, pull: number): Promise<void> {
  const head = run.forge.pulls().find((item) => item.number === pull)?.head.sha ?? "";
  run.say("ci", `rectify-policy is green on ${head.slice(0, 7)}`);
  await run.forge.reportCheck({ sha: head, name: "rectify-policy", appId: ciApp, conclusion: "success" });
}

/** Waits until the sticky comment says this. */
export async function reported(run: Forum, pull: number, words: RegExp): Promise<void> {
  await until(`the sticky comment to say ${words.source}`, () =>
    run.forge.comments(pull).some(({ body }) => words.test(body ?? "")),
  );
}

/** A person's own commit on the default branch. */
export async function commit(run: Forum, message: string, files: Readonly<Record<string, string>>): Promise<string> {
  run.say(approver, message);
  return run.forge.push(files, { message, author: approver });
}
