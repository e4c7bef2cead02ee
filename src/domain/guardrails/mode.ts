import { z } from "zod";
import type { Incident } from "../incident/incident.ts";
import { fitsPattern } from "./alert-mapping.ts";

const pattern = z.string({ error: "must be a text, in which * stands for anything" }).min(1, "must not be empty");
const modes = z.enum(["live", "shadow"], { error: "must be live or shadow" });

const remedies = ["scale", "resources", "image-rollback", "revert-commit"] as const;

/** A part of the incidents with a mode of its own. */
export const ModeRule = z.strictObject({
  namespace: pattern.default("*").describe("Namespace of the workload; * stands for anything."),
  alert: pattern.default("*").describe("Name of the alert; * stands for anything."),
  remedy: z
    .enum(remedies, { error: `must be one of ${remedies.join(", ")}` })
    .optional()
    .describe("Only this remedy."),
  mode: modes.describe("`live`: pull requests. `shadow`: nothing is written."),
});

export const Mode = modes;

/** What the guardrails say about writing. */
export interface Modes {
  readonly mode: z.output<typeof modes>;
  readonly modes: readonly Readonly<z.output<typeof ModeRule>>[];
}

/** All that says whether something may be written, and whether the dashboard issue is kept. */
export interface KnownModes extends Modes {
  readonly dashboard: boolean;
}

const StoredModes = z.looseObject({ mode: modes, modes: z.array(ModeRule), dashboard: z.boolean() });

/** What an earlier process knew, as far as it can be understood. */
export function readModes(stored: unknown): KnownModes | undefined {
  const read = StoredModes.safeParse(stored);
  return read.success ? read.data : undefined;
}

/** One kind of incident; without a remedy only rules that name none fit. */
interface IncidentClass {
  readonly namespace: string;
  readonly alert: string;
  /** A kind of remediation. */
  readonly remedy: string | undefined;
}

/** The first rule that fits decides, else the mode of the whole file. */
export function modeFor({ mode, modes: rules }: Modes, { namespace, alert, remedy }: IncidentClass): Modes["mode"] {
  const rule = rules.find(
    (one) =>
      fitsPattern(namespace, one.namespace) &&
      fitsPattern(alert, one.alert) &&
      (one.remedy === undefined || one.remedy === remedy),
  );
  return rule?.mode ?? mode;
}

/** What an incident is about, for its mode: the alerting workload's namespace, and that of the workload to be changed. */
export interface ModeSubject {
  readonly alert: string;
  readonly namespaces: readonly string[];
  /** A kind of remediation, of a change back that of what it reverts; "none" = there is none; undefined = not known yet. */
  readonly remedy: string | undefined;
}

/** What is to be changed, as far as it is known: its kind (see `ModeSubject.remedy`), and the workload. */
interface ModeChange {
  readonly kind: string | undefined;
  readonly workload?: { readonly namespace: string } | undefined;
}

/** What an incident and the change for it are about. */
export function modeSubject(
  { alert, workload }: Pick<Incident, "alert" | "workload">,
  change: ModeChange | undefined,
): ModeSubject {
  const target = change?.workload === undefined ? [] : [change.workload.namespace];
  return { alert: alert.name, namespaces: [workload.namespace, ...target], remedy: change?.kind };
}

/** Why nothing comes of a change of a class in shadow mode. */
export const shadowReason = "shadow mode: nothing is written here (guardrails: mode)";

/** Whether any class is in shadow mode. */
export function hasShadow({ mode, modes: rules }: Modes): boolean {
  return [mode, ...rules.map((rule) => rule.mode)].includes("shadow");
}

/**
 * The one rule of who may write: shadow mode where one of the namespaces is in shadow mode. Where the remedy is not known
 * yet, only what is so for each of them is. A change back of something that nobody knows is where any remedy is.
 */
export function isInShadow(modes: Modes, { alert, namespaces, remedy }: ModeSubject): boolean {
  const kinds = remedy === undefined ? [...remedies, "none"] : [remedy];
  const shadowed = (kind: string) =>
    namespaces.some(
      (namespace) => modeFor(modes, { namespace, alert, remedy: kind === "none" ? undefined : kind }) === "shadow",
    );
  return remedy === "revert" ? remedies.some(shadowed) : kinds.every(shadowed);
}

/** True where nothing at all may be written. Behind a rule that fits everything nothing decides any more. */
export function isShadowOnly({ mode, modes: rules }: Modes): boolean {
  const last = rules.findIndex(fitsAll);
  const deciding = last === -1 ? [...rules, { mode }] : rules.slice(0, last + 1);
  return deciding.every((one) => one.mode === "shadow");
}

function fitsAll({ namespace, alert, remedy }: Modes["modes"][number]): boolean {
  return remedy === undefined && [namespace, alert].every((pattern) => /^\*+$/.test(pattern));
}
