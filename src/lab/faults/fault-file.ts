import { z } from "zod";
import { parseYaml } from "../../manifests/yaml/yaml.ts";
import { amount, duration, FaultEffect, one, WorkloadName } from "../cluster/simulation/fault-effect.ts";

const text = z.union([z.string(), z.number(), z.boolean()]).transform(String);
const Edit = z
  .object({
    file: z.string().describe("Path in the repository."),
    replace: text.optional().describe("Text that the file holds; its first occurrence is replaced, or all with `all`."),
    with: text.optional().describe("What stands there then."),
    all: z.boolean().optional(),
    content: z.string().optional().describe("The whole new file."),
    append: z.string().optional().describe("Text at the end; the file need not exist."),
    after: text.optional().describe("Inserts `insert` as lines after the first line that holds this text."),
    before: text.optional().describe("Inserts `insert` as lines before the first line that holds this text."),
    insert: z.string().optional(),
    delete: z.boolean().optional().describe("Takes the file away."),
  })
  .describe("One edit of one file; several of a file apply in their order.");

const Commit = z.object({
  message: z.string().default("change the shop"),
  author: z.string().default("dev-ben"),
  edits: one(Edit).default([]),
  after: duration.optional().describe("Seconds after the commit before it."),
  later: z.boolean().optional().describe("True: made once the alert fires, before anybody looks at it."),
});

const Leaf = z.object({
  object: z
    .union([z.string(), z.object({ kind: z.string(), name: z.string().optional(), namespace: z.string().optional() })])
    .optional()
    .describe("`Kind/name`, or an object with kind, name and namespace."),
  path: z
    .string()
    .optional()
    .describe("Dots and brackets: spec.template.spec.containers[name=web].image, or [0], or [*]."),
  equals: z.unknown().optional(),
  notEquals: z.unknown().optional(),
  in: z.array(z.unknown()).optional(),
  notIn: z.array(z.unknown()).optional(),
  matches: z.string().optional().describe("A regular expression on the value as text."),
  notMatches: z.string().optional(),
  contains: z.unknown().optional().describe("A text within the text, an item of the list, or a key of the map."),
  notContains: z.unknown().optional(),
  exists: z.boolean().optional(),
  absent: z.boolean().optional(),
  lessThan: amount.optional().describe("Quantities such as 100m and 1Gi are understood."),
  greaterThan: amount.optional(),
});

/** When a fault is active, by the objects that the cluster was told to run. */
export type Condition = z.output<typeof Leaf> & {
  readonly all?: readonly Condition[] | undefined;
  readonly any?: readonly Condition[] | undefined;
  readonly not?: Condition | undefined;
  readonly always?: boolean | undefined;
};

const Condition: z.ZodType<Condition> = z.lazy(() =>
  Leaf.extend({
    all: z.array(Condition).optional(),
    any: z.array(Condition).optional(),
    not: Condition.optional(),
    always: z.boolean().optional().describe("Active from the start of the scenario, whatever is rendered."),
  }),
) as z.ZodType<Condition>;

const Alert = z.object({
  name: z.string().default("FaultActive"),
  labels: z.record(z.string(), text).default({}),
  severity: z.string().default("critical"),
  annotations: z.record(z.string(), text).default({}),
  for: duration.default(1),
  expr: z.string().optional().describe("PromQL over the lab's metrics; absent = it fires while the fault is active."),
});

const outcomes = ["revert-commit", "scale", "resources", "image-rollback", "refused", "none"] as const;

const Expect = z.object({
  remedy: one(z.enum(outcomes)).describe("`refused`: a remedy was found and may not be done. `none`: there is none."),
  commit: z.number().int().optional().describe("Which of the commits is reverted, from 0; absent = the last."),
  files: z.array(z.string()).optional().describe("The manifests that the proposal changes, no others."),
  ending: one(z.string()).optional(),
  cause: one(z.string()).optional().describe("Names of the closed list, any of which is right."),
  healed: z.boolean().optional().describe("Absent = true where the remedy is a change."),
});

/** A fault as a file describes it. Unknown fields are left aside. */
export const FaultFile = z.object({
  name: z.string().optional(),
  about: z.string().default(""),
  workload: WorkloadName,
  setup: one(Edit)
    .default([])
    .describe("Edits of the repository before the scenario: they belong to the healthy state."),
  commits: one(Commit).default([]).describe("What people commit once the shop runs quietly, oldest first."),
  active: Condition.describe("The fault does its harm exactly while this holds."),
  effects: one(FaultEffect).default([]),
  alert: Alert.prefault({}),
  guardrails: z.record(z.string(), z.unknown()).default({}),
  approve: z
    .union([z.boolean(), z.string()])
    .default(true)
    .describe("What a person answers: true, false or a comment."),
  expect: Expect,
});

export type FaultFile = z.output<typeof FaultFile>;
export type FaultEdit = z.output<typeof Edit>;

type ReadFault =
  | { readonly ok: true; readonly fault: FaultFile }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Reads a fault file, YAML or JSON. */
export function readFault(source: string): ReadFault {
  const document = parseYaml(source);
  if (!document.ok) return { ok: false, problems: [document.problem] };
  const parsed = FaultFile.safeParse(document.value);
  if (parsed.success) return { ok: true, fault: parsed.data };
  return {
    ok: false,
    problems: parsed.error.issues.map(({ path, message }) => `${path.join(".") || "the file"}: ${message}`),
  };
}

/** The JSON schema of the format. */
export function faultSchema(): Record<string, unknown> {
  return { title: "Rectify fault file", ...z.toJSONSchema(FaultFile, { io: "input", unrepresentable: "any" }) };
}
