import { z } from "zod";
import { AlertMapping } from "./alert-mapping.ts";
import { ruledWords } from "./command.ts";
import { mergeMethods } from "./merge-method.ts";
import { Mode, ModeRule } from "./mode.ts";
import { parseQuantity } from "../kubernetes/quantity.ts";
import { nearestWord } from "../text/nearest-word.ts";

const whole = (least: number, most: number) =>
  z
    .int({ error: `must be a whole number from ${least} to ${most}` })
    .min(least, `must be at least ${least}`)
    .max(most, `must be at most ${most}`);
const text = (what: string) => z.string({ error: `must be ${what}` }).min(1, `must be ${what}`);
const yesOrNo = z.boolean({ error: "must be true or false" });
const choice = <const T extends readonly string[]>(values: T) =>
  z.enum(values, { error: `must be one of ${values.join(", ")}` });
const listOf = <T extends z.ZodType>(item: T) => z.array(item, { error: "must be a list" });
const severities = listOf(text("the value of the alerts' label `severity`"));

// RFC 1123 label: what Kubernetes accepts as a namespace.
const namespaceName = z
  .string({ error: "must be the name of a namespace" })
  .regex(/^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/, "must be the name of a namespace: small letters, digits and -");
const workloadName = z
  .string({ error: "must be namespace/Kind/name" })
  .regex(/^[a-z0-9-]+\/[A-Z][A-Za-z]+\/[a-z0-9.-]+$/, "must be namespace/Kind/name");
const quantity = z
  .string({ error: "must be a quantity in quotes, such as '500m' or '8Gi'" })
  .refine((text) => (parseQuantity(text) ?? 0) > 0, "must be a quantity in quotes, such as '500m' or '8Gi'");
const clockTime = z
  .string({ error: "must be a time in quotes, such as '09:00'" })
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, "must be a time in quotes, such as '09:00'");
const price = z.number({ error: "must be a number" }).nonnegative("must not be negative");

const ApprovalRule = z
  .strictObject({
    users: listOf(text("a GitHub login")).default([]).describe("These people may."),
    teams: listOf(text("a team as organisation/team")).default([]).describe("Members of these teams may."),
    minimumPermission: choice(["read", "triage", "write", "maintain", "admin"])
      .default("write")
      .describe("Everyone who may use the command needs this permission, listed or not."),
    count: whole(1, 10).default(1).describe("How many different people must say it."),
  })
  .describe("Who may use a command. Without users and teams the permission alone decides.");

const Window = z.strictObject({
  days: listOf(choice(["mon", "tue", "wed", "thu", "fri", "sat", "sun"])).min(1, "must name at least one day"),
  from: clockTime,
  to: clockTime,
  timeZone: z
    .string({ error: "must be a time zone such as Europe/Berlin" })
    .refine(isTimeZone, "must be a time zone such as Europe/Berlin"),
});

/** What people allow the bot: `.github/rectify.yml` on the default branch. Defaults live only here. */
const Guardrails = z.strictObject({
  mode: Mode.default("live").describe(
    "`shadow`: everything runs and nothing is written but the dashboard issue; each incident ends with what people did.",
  ),
  modes: listOf(ModeRule)
    .default([])
    .describe("Other modes for some namespaces, alerts or remedies. The first that fits counts.")
    .meta({ examples: [[{ namespace: "shop", alert: "HighRequestLatency", remedy: "scale", mode: "live" }]] }),
  dashboard: yesOrNo
    .default(true)
    .describe("Keep the dashboard issue. `false`: in shadow mode nothing is written at all."),
  namespaces: listOf(namespaceName)
    .default([])
    .describe("Namespaces whose workloads may be changed. None by default: shadow mode then looks at all."),
  kinds: listOf(choice(["Deployment", "StatefulSet", "Rollout"]))
    .default(["Deployment", "StatefulSet", "Rollout"])
    .describe("Kinds of workload that may be changed."),
  minReplicas: whole(1, 1000).default(1).describe("Never fewer replicas than this. Zero is not possible."),
  maxReplicas: whole(1, 1000).default(10).describe("Never more replicas than this."),
  maxCpu: quantity.default("4").describe("Never more CPU than this for one container, such as 4 or 500m."),
  maxMemory: quantity.default("8Gi").describe("Never more memory than this for one container, such as 8Gi."),
  growthLimit: z
    .number({ error: "must be a number greater than 1" })
    .gt(1, "must be greater than 1")
    .max(10, "must be at most 10")
    .default(3)
    .describe("One change may multiply a value by this much at most."),
  maxOpenPulls: whole(1, 50).default(5).describe("Open pull requests at once; the rest waits on the dashboard issue."),
  maxPullsPerHour: whole(1, 100).default(10).describe("Pull requests opened within an hour."),
  exemptSeverities: severities.default(["critical"]).describe("Severities that these two caps do not hold back."),
  autoMerge: choice(["never", "low-risk"])
    .default("never")
    .describe("`low-risk` lets changes of low risk with a proven precedent merge without a person."),
  mergeMethods: listOf(choice(mergeMethods))
    .min(1, "must name at least one method")
    .default([...mergeMethods])
    .describe("How a pull request is merged: the first of these that the repository allows."),
  branchPrefix: z
    .string({ error: "must be the beginning of a branch name such as rectify/" })
    .regex(
      /^[A-Za-z0-9][A-Za-z0-9_-]*(?:\/[A-Za-z0-9][A-Za-z0-9_-]*)*[/-]$/,
      "must be such as rectify/ or bot/rectify-",
    )
    .default("rectify/")
    .describe("How the names of our branches begin, where rules of the repository ask for something."),
  titleTemplate: z
    .string({ error: "must be a text with {title} in it" })
    .max(100, "must be at most 100 characters")
    .regex(/^[^\n\r]*\{title\}[^\n\r]*$/, "must be one line with {title} in it")
    .optional()
    .describe("How titles of pull requests and subjects of commits are written. By default as the history has them.")
    .meta({ examples: ["fix(ops): {title}"] }),
  approvers: z
    .partialRecord(z.enum(ruledWords, { error: "is not a command" }), ApprovalRule, { error: "must name commands" })
    .default({})
    .describe("Who may use which command, by command. Without an entry the permission `write` is enough.")
    .meta({ examples: [{ "approve-scale": { teams: ["my-org/sre"], minimumPermission: "write", count: 1 } }] }),
  linkHosts: listOf(
    z
      .string({ error: "must be a host such as grafana.example.com" })
      .regex(/^[a-z0-9.-]+(?::\d{1,5})?$/, "must be a host such as grafana.example.com"),
  )
    .default([])
    .describe("Hosts to which a pull request may link: pages, Prometheus, and the addresses in alerts."),
  notify: z
    .strictObject({
      slack: yesOrNo.default(false).describe("Tell the Slack-compatible webhook (`NOTIFY_SLACK_URL_PATH`)."),
      webhook: yesOrNo.default(false).describe("Tell the signed webhook (`NOTIFY_WEBHOOK_URL`)."),
      severities: severities.default([]).describe("Only incidents of these severities are told. None means all."),
      quietHours: listOf(Window).default([]).describe("Within these nothing is told."),
      reviewers: listOf(text("a GitHub login")).default([]).describe("They are asked for a review."),
      teams: listOf(text("a team as organisation/team")).default([]).describe("These teams are asked for a review."),
      assignees: listOf(text("a GitHub login")).default([]).describe("Pull requests are assigned to them."),
    })
    .prefault({})
    .describe("Whom Rectify tells of proposals and endings. Nobody by default."),
  model: choice(["required", "optional", "off"])
    .default("optional")
    .describe("`required`: no change without the model's answer. `off`: the model is never asked."),
  priceBook: z
    .strictObject({ cpuHour: price, memoryGiBHour: price, currency: text("a currency such as EUR") })
    .optional()
    .describe("What a core and a GiB cost per hour. Without it no cost is stated.")
    .meta({ examples: [{ cpuHour: 0.04, memoryGiBHour: 0.005, currency: "EUR" }] }),
  budgets: z
    .record(namespaceName, price, { error: "must be amounts by namespace" })
    .default({})
    .describe("Most added cost per namespace and month by changes that were not reverted. Needs the price book.")
    .meta({ examples: [{ shop: 500 }] }),
  windows: listOf(Window)
    .default([])
    .describe("When a change may merge without a person. None means always. `to` before `from` ends the next day.")
    .meta({ examples: [[{ days: ["mon", "tue"], from: "09:00", to: "16:00", timeZone: "Europe/Berlin" }]] }),
  windowExemptSeverities: severities.default([]).describe("Severities for which the windows do not count."),
  freeze: yesOrNo
    .default(false)
    .describe("`true` stops every merge. An open issue with the label rectify-freeze does the same."),
  leases: z
    .strictObject({ duration: durationText().default("24h").describe("A scale-up is kept this long, such as 24h.") })
    .prefault({})
    .describe("After this time the scale-down is proposed, if the metric stayed low."),
  requiredChecks: listOf(z.strictObject({ name: text("the name of a check"), app: whole(1, Number.MAX_SAFE_INTEGER) }))
    .default([])
    .describe("Checks that must be green before a merge, each with the id of the only App that may report it.")
    .meta({ examples: [[{ name: "rectify-policy", app: 15368 }]] }),
  criticalWorkloads: listOf(workloadName)
    .default([])
    .describe("Workloads (namespace/Kind/name) whose changes always wait for a person.")
    .meta({ examples: [["shop/Deployment/checkout"]] }),
  dependencies: z
    .record(workloadName, listOf(workloadName), { error: "must be lists of workloads by workload" })
    .default({})
    .describe("Who calls whom (namespace/Kind/name), where neither a mesh nor traces tell.")
    .meta({ examples: [{ "shop/Deployment/web": ["shop/Deployment/catalog"] }] }),
  alerts: listOf(AlertMapping)
    .default([])
    .describe(
      "Which workload an alert means whose labels do not lead to one, or `ignore: true`. The first that fits counts.",
    )
    .meta({
      examples: [
        [
          { alert: "QueueDepth*", workload: "shop/Deployment/{queue}" },
          { alert: "Watchdog", ignore: true },
        ],
      ],
    }),
  publicLogLines: yesOrNo.default(false).describe("Show log lines and names of pods and nodes in a public repository."),
  memoryIsolation: yesOrNo
    .default(true)
    .describe("A post-mortem of one namespace is never used as a precedent in another."),
  autonomy: z
    .strictObject({ successes: whole(1, 100).default(3).describe("Verified successes that unlock merging.") })
    .prefault({})
    .describe("Trust is earned per alert, workload and remedy; one failed verification locks it again."),
});

/** The guardrails in effect, defaults filled in. */
export type Guardrails = Readonly<z.output<typeof Guardrails>>;

/** Who may use one command. */
export type ApprovalRule = Readonly<z.output<typeof ApprovalRule>>;

/** When changes may merge without a person. */
export type Window = Readonly<z.output<typeof Window>>;

/** What is wrong at which field; `text` names the field and the remedy. */
export interface FieldProblem {
  readonly field: readonly PropertyKey[];
  readonly text: string;
}

type ParsedGuardrails =
  | { readonly ok: true; readonly value: Guardrails }
  | { readonly ok: false; readonly problems: readonly FieldProblem[] };

/** Reads the parsed YAML of the guardrails. Unknown fields are errors. */
export function parseGuardrails(document: unknown): ParsedGuardrails {
  const parsed = Guardrails.safeParse(document ?? {});
  if (!parsed.success) return { ok: false, problems: parsed.error.issues.flatMap(problemsOf) };
  const problems = contradictionsOf(parsed.data);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, value: parsed.data };
}

/** The JSON schema of the file, for editors and for `rectify config schema`. */
export function guardrailsSchema(): Record<string, unknown> {
  return { title: "Rectify guardrails", ...z.toJSONSchema(Guardrails, { io: "input" }) };
}

/** The guardrails file that onboarding proposes: every field with its default, or what was found, and what it means. */
export function renderDefaultGuardrails(
  namespaces: readonly string[] = [],
  { requiredChecks = [] }: Partial<Pick<Guardrails, "requiredChecks">> = {},
): string {
  // Who begins lets it look on first; a file that says nothing means what it always meant.
  const defaults: Record<string, unknown> = { ...Guardrails.parse({}), mode: "shadow", namespaces, requiredChecks };
  const fields = Object.entries(Guardrails.shape).map(([name, field]) => {
    const { description = "", examples } = field.meta() ?? {};
    const example = Array.isArray(examples) ? [`# For example: ${name}: ${JSON.stringify(examples[0])}`] : [];
    const value = defaults[name];
    return [`# ${description}`, ...example, ...(value === undefined ? [] : [`${name}: ${JSON.stringify(value)}`])];
  });
  return `${[guardrailsTitle, ...fields].map((lines) => lines.join("\n")).join("\n\n")}\n`;
}

const guardrailsTitle = [
  "# What Rectify may do here. It reads this file from the default branch only.",
  "# These are the defaults. Unknown fields are errors; while there is one, nothing is written.",
];

function problemsOf(issue: z.core.$ZodIssue): FieldProblem[] {
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => problemAt([...issue.path, key], `is not a known field${hint(key)}`));
  }
  if (issue.code === "invalid_key") {
    return [problemAt(issue.path, `is not allowed here: ${issue.issues.map((inner) => inner.message).join(", ")}`)];
  }
  const atTop = issue.path.length === 0;
  return [problemAt(issue.path, atTop ? "must hold fields, one per line, as `name: value`" : issue.message)];
}

function problemAt(field: readonly PropertyKey[], what: string): FieldProblem {
  const name = field.length === 0 ? "the file" : field.map(String).join(".").slice(0, 100);
  return { field, text: `${name}: ${what}` };
}

function hint(key: string): string {
  // It must never ask for less than the command that it stands for, so it has no rule of its own.
  if (key === "approve") return ": /approve needs what approve-scale or approve-revert needs";
  const near = nearestWord(key, Object.keys(Guardrails.shape));
  return near === undefined ? ": remove it (see `rectify config schema`)" : `: did you mean ${near}?`;
}

function contradictionsOf(read: z.output<typeof Guardrails>): FieldProblem[] {
  const budgeted = Object.keys(read.budgets);
  const floor = `must not be above maxReplicas (${read.maxReplicas}): lower one or raise the other`;
  const unpriced = budgeted.length > 0 && read.priceBook === undefined;
  const empty = "from and to must differ: for a whole day leave windows out";
  return [
    ...(read.minReplicas > read.maxReplicas ? [problemAt(["minReplicas"], floor)] : []),
    ...(unpriced ? [problemAt(["budgets"], "need prices to be compared with: add priceBook")] : []),
    ...read.windows.flatMap(({ from, to }, index) => (from === to ? [problemAt(["windows", index], empty)] : [])),
  ];
}

function durationText() {
  return z
    .string({ error: "must be a duration such as 24h" })
    .regex(/^[1-9]\d{0,3}(s|m|h|d)$/, "must be a duration such as 30m, 24h or 7d");
}

function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: name }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
