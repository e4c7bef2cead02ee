import { z } from "zod";
import type { Alert } from "../incident/alert.ts";
import type { Concern } from "../incident/incident.ts";
import { isDnsName } from "../kubernetes/workload.ts";

const text = (what: string) => z.string({ error: `must be ${what}` }).min(1, `must be ${what}`);
const pattern = text("a text, in which * stands for anything");

/** Which workload an alert means whose labels do not say it, or that nobody wants to hear of it. */
export const AlertMapping = z
  .strictObject({
    alert: pattern.default("*").describe("Name of the alert; * stands for anything."),
    labels: z
      .record(z.string(), pattern, { error: "must be patterns by label" })
      .default({})
      .describe("Labels that it must have; * stands for anything."),
    workload: z
      .string({ error: "must be namespace/Kind/name" })
      .regex(
        /^[A-Za-z0-9{}._-]+\/[A-Z][A-Za-z]+\/[A-Za-z0-9{}._-]+$/,
        "must be namespace/Kind/name, in which {label} stands for the value of a label",
      )
      .optional()
      .describe("The workload; {label} stands for the value of a label."),
    ignore: z
      .literal(true, { error: "must be true, or be left out" })
      .optional()
      .describe("Such alerts are never taken in."),
  })
  .refine(({ workload, ignore }) => (workload === undefined) !== (ignore === undefined), {
    error: "must have either workload or ignore",
  });

export type AlertMapping = Readonly<z.output<typeof AlertMapping>>;

/** What the guardrails say of an alert; undefined = nothing. The first entry that fits counts. */
export function mappedConcern(alert: Alert, mappings: readonly AlertMapping[]): Concern | undefined {
  const index = mappings.findIndex((mapping) => fits(alert, mapping));
  const mapping = mappings[index];
  if (mapping === undefined) return undefined;
  const place = `alerts[${index}] of the guardrails`;
  if (mapping.workload === undefined) return { kind: "ignored", because: place };
  const [namespace = "", kind = "", name = ""] = mapping.workload.split("/").map((part) => filled(part, alert.labels));
  if (![namespace, name].every(isDnsName)) {
    const because = `${place} makes ${namespace}/${kind}/${name} of it, which Kubernetes could not hold`;
    const line = "correct the template: each {label} must be a label of the alert";
    return { kind: "nobody", because, line, mapping: place };
  }
  const workload = { namespace, kind, name };
  return { kind: "workload", workload, way: `${place}: ${mapping.workload}`, mapping: place };
}

function fits(alert: Alert, { alert: name, labels }: AlertMapping): boolean {
  const matches = (value: string | undefined, wanted: string) => value !== undefined && fitsPattern(value, wanted);
  return (
    matches(alert.name, name) && Object.entries(labels).every(([key, wanted]) => matches(alert.labels[key], wanted))
  );
}

/** Only `*` has a meaning. Runs in time that grows with the text, whatever the pattern. */
export function fitsPattern(value: string, wanted: string): boolean {
  const [first = "", ...rest] = wanted.split("*");
  if (rest.length === 0) return value === wanted;
  const last = rest.pop() ?? "";
  if (!value.startsWith(first) || value.length < first.length + last.length || !value.endsWith(last)) return false;
  let at = first.length;
  for (const part of rest) {
    const found = value.indexOf(part, at);
    if (found < 0) return false;
    at = found + part.length;
  }
  return at <= value.length - last.length;
}

function filled(template: string, labels: Readonly<Record<string, string>>): string {
  return template.replace(/\{([^{}]+)\}/g, (_, label: string) => labels[label] ?? "");
}

/** The line of the guardrails that would map an alert of this name; the workload is for people to fill in. */
export function mappingLine({ name, labels }: Alert): string {
  const namespace = labels.namespace === undefined ? "NAMESPACE" : "{namespace}";
  return `alerts: [{ alert: ${JSON.stringify(name)}, workload: "${namespace}/Deployment/NAME" }], or ignore: true instead of workload`;
}
