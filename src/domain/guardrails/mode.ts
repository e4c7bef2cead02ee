import { z } from "zod";
import { fitsPattern } from "./alert-mapping.ts";

const pattern = z.string({ error: "must be a text, in which * stands for anything" }).min(1, "must not be empty");
const modes = z.enum(["live", "shadow"], { error: "must be live or shadow" });

/** A part of the incidents with a mode of its own. */
export const ModeRule = z.strictObject({
  namespace: pattern.default("*").describe("Namespace of the workload; * stands for anything."),
  alert: pattern.default("*").describe("Name of the alert; * stands for anything."),
  remedy: z
    .enum(["scale", "resources", "image-rollback", "revert-commit"], {
      error: "must be one of scale, resources, image-rollback, revert-commit",
    })
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

/** True where nothing at all may be written. */
export function isShadowOnly({ mode, modes: rules }: Modes): boolean {
  return mode === "shadow" && rules.every((rule) => rule.mode === "shadow");
}
