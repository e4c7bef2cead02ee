import { z } from "zod";
import { isRecord } from "../../domain/kubernetes/rendered.ts";
import type { FluxSpec } from "./controller-spec.ts";
import type { PlainOptions } from "../gitops/plain.ts";
import { plainPath } from "../gitops/controllers.ts";

const Directory = z.strictObject({
  recurse: z.boolean().optional(),
  include: z.string().optional(),
  exclude: z.string().optional(),
  // Concerns Jsonnet files only, and those are refused.
  jsonnet: z.unknown().optional(),
});
const Patches = z.array(z.strictObject({ patch: z.string(), target: z.record(z.string(), z.string()).optional() }));
const Kustomize = z.strictObject({
  version: z.string().optional(),
  namePrefix: z.string().optional(),
  nameSuffix: z.string().optional(),
  namespace: z.string().optional(),
  components: z.array(z.string()).optional(),
  commonLabels: z.record(z.string(), z.string()).optional(),
  images: z.array(z.string()).optional(),
  replicas: z.array(z.strictObject({ name: z.string(), count: z.coerce.number().int() })).optional(),
  patches: Patches.optional(),
});
const Source = z.strictObject({
  repoURL: z.unknown().optional(),
  path: z.string().optional(),
  targetRevision: z.unknown().optional(),
  ref: z.unknown().optional(),
  name: z.unknown().optional(),
  directory: Directory.optional(),
  kustomize: Kustomize.optional(),
});

type ArgoOptions =
  | { readonly ok: true; readonly spec: FluxSpec; readonly plain: PlainOptions }
  | { readonly ok: false; readonly because: string };

/** The source of an Application with this path: the only one, or one of several. */
function sourceWithPath(spec: Readonly<Record<string, unknown>>, path: string | null): unknown {
  const several = Array.isArray(spec.sources) ? spec.sources : [];
  const all = [spec.source, ...several].filter(isRecord);
  return all.find((one) => typeof one.path === "string" && plainPath(one.path) === path) ?? spec.source;
}

/** What the source adds to its path; a field that could change objects in another way is a refusal that names it. */
export function argoOptions(spec: Readonly<Record<string, unknown>>, path: string | null): ArgoOptions {
  const parsed = Source.safeParse(sourceWithPath(spec, path) ?? {});
  if (!parsed.success) {
    const strange = parsed.error.issues.flatMap((issue) => ("keys" in issue ? issue.keys : [issue.path.join(".")]));
    return { ok: false, because: `source fields that are not understood: ${strange.join(", ")}` };
  }
  const { directory, kustomize } = parsed.data;
  if (JSON.stringify(kustomize ?? {}).includes("{{"))
    return { ok: false, because: "kustomize options that a template fills in" };
  const { namespace, version: _version, images, ...rest } = kustomize ?? {};
  const { jsonnet: _jsonnet, ...plain } = directory ?? {};
  return {
    ok: true,
    spec: {
      ...rest,
      ...(namespace === undefined ? {} : { targetNamespace: namespace }),
      ...(images === undefined ? {} : { images: images.map(imageOf) }),
    },
    plain: { ...plain, recurse: directory?.recurse ?? false },
  };
}

/** Argo CD's short form: `name=new:tag`, `name:tag`, `name=new@digest`. */
function imageOf(text: string): NonNullable<FluxSpec["images"]>[number] {
  const [left = "", right = left] = text.includes("=") ? text.split("=", 2) : [text];
  const [named = "", digest] = right.split("@");
  const tag = /:([^:/]+)$/.exec(named)?.[1];
  const newName = tag === undefined ? named : named.slice(0, -tag.length - 1);
  const name = text.includes("=") ? left : newName;
  return {
    name,
    ...(newName === name ? {} : { newName }),
    ...(tag === undefined ? {} : { newTag: tag }),
    ...(digest === undefined ? {} : { digest }),
  };
}
