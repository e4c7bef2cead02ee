import { z } from "zod";
import type { Entry, WantedChange } from "../../domain/kubernetes/manifest-edit.ts";
import { parseQuantity } from "../../domain/kubernetes/quantity.ts";
import type { LiveWorkload } from "../../domain/kubernetes/workload.ts";

/** A question of a line as it was asked, in the product's words. */
interface AskedQuestion {
  readonly workload: LiveWorkload;
  readonly change: WantedChange;
  readonly entry: Entry;
}

const Texts = z.record(z.string(), z.coerce.string());
const ScaledBy = z.object({ kind: z.string(), name: z.string(), min: z.coerce.number(), max: z.coerce.number() });
const Live = z.object({
  replicas: z.coerce.number().optional(),
  labels: Texts.optional(),
  annotations: Texts.optional(),
  ownerReferences: z.array(z.object({ kind: z.string(), name: z.string() })).optional(),
  scaledBy: ScaledBy.partial({ min: true, max: true }).optional(),
});
const Workload = Live.extend({
  kind: z.string().default("Deployment"),
  namespace: z.string().default("default"),
  name: z.string(),
  container: z.string().optional(),
});
const Spec = z.record(z.string(), z.unknown());
const Asked = z.object({
  workload: Workload,
  live: Live.extend({ source: Spec.optional(), sources: z.array(Spec).optional(), spec: Spec.optional() }).optional(),
  entry: z
    .object({
      tool: z.string().optional(),
      path: z.string().nullish(),
      cluster: z.string().optional(),
      object: z.string().optional(),
      spec: Spec.optional(),
      source: Spec.optional(),
      sources: z.array(Spec).optional(),
    })
    .default({}),
});
const Change = z.object({
  kind: z.string().optional(),
  type: z.string().optional(),
  field: z.string().optional(),
  to: z.union([z.number(), z.string()]).optional(),
  value: z.union([z.number(), z.string()]).optional(),
});

/** What a line of questions may say; the JSON schema of it is printed by `rectify locate --schema`. */
export const questionSchema = z.object({
  id: z.string().optional().describe("Repeated in the answer."),
  tree: z
    .union([z.string(), z.record(z.string(), z.string())])
    .optional()
    .describe("A directory below --tree (or an absolute one), or the files themselves: path to content."),
  ...Asked.shape,
  change: Change.optional().describe("kind: replicas | hpa | scaled-object | resources | image-tag; field; to."),
  action: Change.optional().describe("The same in other words: type: set-replicas …; field; value."),
});

type ReadQuestion =
  | { readonly ok: true; readonly value: AskedQuestion }
  | { readonly ok: false; readonly problem: string };

/** Reads one question; the problem names the field that is wrong. */
export function readQuestion(value: unknown): ReadQuestion {
  const asked = questionSchema.safeParse(value);
  if (!asked.success) {
    const [issue] = asked.error.issues;
    return { ok: false, problem: `${issue?.path.join(".") || "the question"}: ${issue?.message ?? "not understood"}` };
  }
  const { workload, live, entry, change, action } = asked.data;
  const wanted = changeOf(change ?? action);
  if (typeof wanted === "string") return { ok: false, problem: wanted };
  const { source, sources, spec, ...rest } = live ?? {};
  const controller = specOf(entry.spec ?? spec, entry.source ?? source, entry.sources ?? sources);
  const tools = ["flux", "argocd", "kustomize", "plain"] as const;
  const scaledBy = workload.scaledBy ?? rest.scaledBy;
  return {
    ok: true,
    value: {
      workload: {
        ...withoutUndefined({ ...rest, ...workload }),
        ...(scaledBy ? { scaledBy: { ...scaledBy, min: scaledBy.min ?? 1, max: scaledBy.max ?? 1 } } : {}),
      } as LiveWorkload,
      change: wanted,
      entry: withoutUndefined({
        tool: tools.find((tool) => tool === entry.tool) ?? ("unknown" as const),
        path: entry.path ?? null,
        cluster: entry.cluster,
        object: entry.object,
        spec: controller,
      }) as Entry,
    },
  };
}

/** The spec of the controller's object, from its parts where only they were given. */
function specOf(
  spec: Record<string, unknown> | undefined,
  source: Record<string, unknown> | undefined,
  sources: readonly Record<string, unknown>[] | undefined,
): Record<string, unknown> | undefined {
  if (spec !== undefined || (source === undefined && sources === undefined)) return spec;
  return withoutUndefined({ source, sources });
}

function withoutUndefined<T extends Record<string, unknown>>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, item]) => item !== undefined)) as T;
}

const resourceFields = ["requests.cpu", "requests.memory", "limits.cpu", "limits.memory"] as const;

type Made = (field: string, to: string) => WantedChange | undefined;

const count = (make: (field: string, to: number) => WantedChange): Made => {
  return (field, to) => (/^\d{1,9}$/.test(to) ? make(field, Number(to)) : undefined);
};
const kinds: Readonly<Record<string, Made>> = {
  replicas: count((_, to) => ({ kind: "replicas", to })),
  hpa: count((field, to) => ({ kind: "hpa", field: field.startsWith("min") ? "minReplicas" : "maxReplicas", to })),
  "scaled-object": count((field, to) => ({
    kind: "scaled-object",
    field: field.startsWith("min") ? "minReplicaCount" : "maxReplicaCount",
    to,
  })),
  resources(field, to) {
    const known = resourceFields.find((one) => one === field);
    const amount = to.trim() === to ? parseQuantity(to) : undefined;
    return known && amount !== undefined && amount >= 0 ? { kind: "resources", field: known, to } : undefined;
  },
  "image-tag": (_, to) => ({ kind: "image-tag", to }),
};
const otherWords: Readonly<Record<string, string>> = {
  scaledobject: "scaled-object",
  keda: "scaled-object",
  image: "image-tag",
  tag: "image-tag",
};

/** The wanted change in the product's words, or what is wrong with it. */
function changeOf(asked: z.infer<typeof Change> | undefined): WantedChange | string {
  const said = (asked?.kind ?? asked?.type ?? "missing").replace(/^set-/, "");
  const to = String(asked?.to ?? asked?.value ?? "");
  const field = (asked?.field ?? "").replace(/^(?:spec\.|resources\.)+/, "");
  const make = kinds[otherWords[said] ?? said];
  if (!make) return `change.kind: ${said} is not one of ${Object.keys(kinds).join(", ")}`;
  if (to === "") return "change.to: the new value is missing";
  return make(field, to) ?? `change: ${said} ${field} cannot be ${to}`;
}

/** `shop/Deployment/web` and `replicas=5` (`limits.memory=1Gi`, `maxReplicas=9`, `tag=2.0.0`) as on the command line. */
export function questionInWords(workload: string, change: string, container: string | undefined): unknown {
  const [name, kind, namespace] = workload.split("/").reverse();
  const [, field = "", to = ""] = /^([\w.-]+)=(.+)$/.exec(change) ?? [];
  return {
    workload: { name, kind: kind ?? "Deployment", namespace: namespace ?? "default", container },
    change: { ...changeInWords(field), to },
  };
}

function changeInWords(field: string): { kind: string; field?: string } {
  if (/^(?:min|max)Replicas$/.test(field)) return { kind: "hpa", field };
  if (/^(?:min|max)ReplicaCount$/.test(field)) return { kind: "scaled-object", field };
  if (/(?:requests|limits)\./.test(field)) return { kind: "resources", field };
  if (/^(?:image|tag|image-tag)$/.test(field)) return { kind: "image-tag" };
  return { kind: field || "missing" };
}
