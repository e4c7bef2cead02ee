import { posix } from "node:path";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import { isRecord, type Rendered, readObject } from "../../domain/kubernetes/rendered.ts";
import { realPath, type Tree } from "../../domain/kubernetes/tree.ts";
import { type FluxSpec, withFluxSpec, withPostBuild } from "./controller-spec.ts";
import { plainPath } from "../gitops/controllers.ts";
import { readKubeYaml } from "../yaml/kube-yaml.ts";
import { type Kustomization, maxFileBytes, readText, resolveInside } from "../gitops/kustomization.ts";
import { kustomizationsIn } from "../repository/reader.ts";
import { reachOf } from "../gitops/reach.ts";
import { namesOf, seenBy } from "../gitops/links.ts";
import { inflationOf } from "./inflation.ts";
import { controllerOf, plainResources } from "./render.ts";

/** What a Kustomize tool needs to build an entry: these files and nothing else, none of them fetched. */
interface PreparedBuild {
  readonly kind: "prepared";
  readonly directory: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The symbolic links among them, with the paths that they lead to in the end. */
  readonly links: ReadonlyMap<string, string>;
  readonly flux: FluxSpec | undefined;
  /** Charts among the files are inflated. */
  readonly inflates: boolean;
}

const maxTotalBytes = 80_000_000;

interface Unsupported {
  readonly kind: "unsupported";
  readonly because: string;
  /** A directory that the controller reads file by file: no tool builds it. */
  readonly isPlain?: true;
}

/** The files of a build, with what a Flux Kustomization adds written into the kustomization, as Flux itself does. */
export function preparedBuild(tree: Tree, entry: Entry): PreparedBuild | Unsupported {
  const path = plainPath(entry.path);
  const root = path === null ? undefined : resolveInside(".", path);
  if (!root?.ok) return unsupported(root?.because ?? "nobody said where the entry starts");
  const controller = controllerOf(tree, entry);
  if (!controller.ok) return unsupported(controller.because);
  const seen = seenBy(entry.tool, tree);
  if (!seen.ok) return unsupported(seen.because);
  return preparedOf(seen.tree, entry, root.path, controller);
}

function preparedOf(
  tree: Tree,
  entry: Entry,
  asked: string,
  controller: Extract<ReturnType<typeof controllerOf>, { ok: true }>,
): PreparedBuild | Unsupported {
  const plain = plainResources(tree, asked, entry.tool, controller.plain);
  if (plain?.problem !== undefined) return unsupported(plain.problem);
  if (plain !== undefined && entry.tool === "argocd")
    return { ...unsupported("Argo CD reads plain directories by itself"), isPlain: true };
  const root = realPath(tree, asked) || ".";
  const start = plain ? { path: undefined, value: { resources: plain.files } } : rootValue(tree, root);
  if (start === undefined) return unsupported(`the kustomization of ${root} cannot be read`);
  const value = withFluxSpec(start.value as Kustomization, controller.flux ?? {});
  const added = (controller.flux?.components ?? []).map((component) => posix.join(root, component));
  const gathered = gather(tree, [root, ...added]);
  if (gathered.kind === "unsupported") return gathered;
  if (start.path === undefined || controller.flux !== undefined) {
    const name = start.path ?? posix.join(root, "kustomization.yaml");
    gathered.files.set(name, new TextEncoder().encode(JSON.stringify(value)));
  }
  return withCharts(tree, { directory: root, files: gathered.files, links: gathered.links, flux: controller.flux });
}

function withCharts(tree: Tree, build: Omit<PreparedBuild, "kind" | "inflates">): PreparedBuild | Unsupported {
  // What is judged is what is read, under each name by which it can be read.
  const named = [...build.files].flatMap(([path, bytes]) => namesOf(tree, path).map((name) => [name, bytes] as const));
  const inflation = inflationOf(new Map([...named, ...build.files]));
  if (inflation.kind === "refused") return unsupported(inflation.because);
  return { kind: "prepared", ...build, inflates: inflation.kind === "local" };
}

function unsupported(because: string): Unsupported {
  return { kind: "unsupported", because };
}

/** The bytes of all files that a build of the places may read, within bounds. */
function gather(tree: Tree, places: readonly string[]): Gathered | Unsupported {
  const reaches = places.map((place) => reachOf(tree, place));
  const broken = reaches.map((reach) => reach.broken).find((link) => link !== undefined);
  if (broken !== undefined) return unsupported(broken.because);
  const remote = reaches.flatMap((reach) => reach.remote)[0];
  if (remote !== undefined) return unsupported(`${remote} is a remote base`);
  const files = new Map<string, Uint8Array>();
  let total = 0;
  for (const file of new Set(reaches.flatMap((reach) => [...reach.files]))) {
    const bytes = tree.read(file);
    if (bytes === undefined || !isPlain(file)) return unsupported(`${file} is no plain path`);
    if (bytes.byteLength > maxFileBytes) return unsupported(`${file} is longer than ${maxFileBytes} bytes`);
    if (multiplies(bytes)) return unsupported(`${file} has anchors that multiply`);
    total += bytes.byteLength;
    files.set(file, bytes);
  }
  if (total > maxTotalBytes) return unsupported("too many bytes of manifests");
  const { links } = tree;
  if (links === undefined || !reaches.some((reach) => reach.followsLinks))
    return { kind: "files", files, links: new Map() };
  const leading = [...links.targets.keys()].flatMap((link) => {
    const target = links.real(link);
    return target === undefined || target === "" || !isPlain(link) ? [] : [[link, target] as const];
  });
  return leading.length > maxLinks
    ? unsupported("too many symbolic links")
    : { kind: "files", files, links: new Map(leading) };
}

interface Gathered {
  readonly kind: "files";
  readonly files: Map<string, Uint8Array>;
  readonly links: ReadonlyMap<string, string>;
}

const maxLinks = 5_000;

function isPlain(path: string): boolean {
  const parts = path.split("/");
  return (
    !path.includes("\0") && !path.includes("\\") && parts.every((part) => part !== "" && part !== "." && part !== "..")
  );
}

function rootValue(
  tree: Tree,
  directory: string,
): { path: string | undefined; value: Record<string, unknown> } | undefined {
  const path = kustomizationsIn(tree, directory)[0];
  const text = path === undefined ? undefined : readText(tree, path);
  const documents = text?.ok ? readKubeYaml(text.value, "kubernetes") : undefined;
  const value = documents?.ok && documents.value.length === 1 ? documents.value[0] : undefined;
  return isRecord(value) ? { path, value } : undefined;
}

/** Anchors inside anchors can unfold to any size: our reader stops at a limit, the tools do not all. */
function multiplies(bytes: Uint8Array): boolean {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (!text.includes("&") || !text.includes("*")) return false;
  const documents = readKubeYaml(text.toString("utf8"));
  return !documents.ok && /^(more|nested deeper) than/.test(documents.problem);
}

/** Reads the tool's output and does what Flux does to built objects. */
export function readBuilt(output: string, prepared: Pick<PreparedBuild, "flux">, tool: string): Rendered {
  const documents = readKubeYaml(output, "output");
  if (!documents.ok) return { kind: "unsupported", because: `the output of ${tool}: ${documents.problem}` };
  const objects = documents.value.map((document) => readObject(withNulls(document)));
  const known = objects.filter((object) => object !== undefined);
  if (known.length < objects.length) return { kind: "unsupported", because: `${tool} wrote what is no object` };
  const finished = withPostBuild(known, prepared.flux ?? {});
  if (!finished.ok) return { kind: "unsupported", because: finished.because };
  return { kind: "rendered", with: tool, objects: finished.value };
}

function withNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withNulls);
  if (!isRecord(value)) return value ?? null;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, withNulls(item)]));
}
