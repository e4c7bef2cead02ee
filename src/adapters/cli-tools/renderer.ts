import { isUtf8 } from "node:buffer";
import { accessSync, constants } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { Rendered } from "../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { type HelmBuild, helmBuild } from "../../manifests/render/helm-build.ts";
import { preparedBuild, readBuilt } from "../../manifests/render/prepared-build.ts";
import { render } from "../../manifests/render/render.ts";
import { guardedHelm } from "./helm/guarded-helm.ts";
import { helmName, outputReader } from "./helm/helm-output.ts";
import { type HelmTemplate, helmTemplate } from "./helm/helm-template.ts";
import { inScratch, run } from "./offline.ts";

/** Renders entries with the user's own tool where one is found, with our subset of Kustomize otherwise. */
interface ToolRenderer {
  /** Never throws for what is in the tree: what cannot be rendered is `unsupported`. */
  render(tree: Tree, entry: Entry): Promise<Rendered>;
}

interface RendererOptions {
  /** Paths of the tools; one that is not given is looked for in `searchPath`, null means not to use it. */
  readonly kubectl?: string | null;
  readonly kustomize?: string | null;
  /** For charts that an Argo CD Application takes from the repository. */
  readonly helm?: string | null;
  /** How charts are templated, where that is not one run of `helm` for each. */
  readonly template?: HelmTemplate;
  /** Directories as in `PATH`. */
  readonly searchPath?: string;
  /** Where builds get their short-lived directories; the system's place for such by default. */
  readonly scratch?: string;
  /** Longest time of one build in milliseconds. */
  readonly timeLimitMs?: number;
}

/** Looks for `kustomize`, then for `kubectl`. No tool is run before the first rendering. */
export function renderer(options: RendererOptions = {}): ToolRenderer {
  const searchPath = options.searchPath ?? process.env.PATH ?? "";
  const limits = { timeLimitMs: options.timeLimitMs ?? 20_000, scratch: options.scratch ?? tmpdir() };
  const tool = findTool(options, searchPath);
  const helm = options.helm === undefined ? onPath("helm", searchPath) : options.helm;
  const read = outputReader((document) => readBuilt(document, { flux: undefined }, helmName));
  const charts = helm ? { helm: options.template ?? helmTemplate({ helm, limits }), read } : undefined;
  let version: Promise<string> | undefined;
  return {
    async render(tree, entry) {
      const chart = charts ? helmBuild(tree, entry) : undefined;
      if (charts && chart !== undefined) return chart.kind === "prepared" ? templated(charts, chart) : chart;
      if (tool === undefined) return render(tree, entry);
      const prepared = preparedBuild(tree, entry);
      // Where no tool builds the directory our own reason says what is in the way.
      if (prepared.kind === "unsupported") {
        const own = render(tree, entry);
        return own.kind === "rendered" || prepared.isPlain ? own : prepared;
      }
      const built = await inScratch(prepared, limits, (root, home) => {
        const charts = prepared.inflates ? inflating(helm, home, limits.timeLimitMs) : [];
        const args = [...tool.build, ...charts, join(root, prepared.directory)];
        return run(tool, args, { home, timeLimitMs: limits.timeLimitMs });
      });
      // Kustomize alone forbids what Flux allows: files of the repository above the directory.
      if (!built.ok) {
        const own: Rendered = entry.tool === "flux" ? render(tree, entry) : unsupported(built.because);
        return own.kind === "rendered" ? own : unsupported(built.because);
      }
      version ??= versionOf(tool, limits.scratch);
      return readBuilt(built.output, prepared, await version);
    },
  };
}

function unsupported(because: string): Rendered {
  return { kind: "unsupported", because };
}

/** Charts that stand among the files are inflated, offline as all else. */
const inflating = (helm: string | null | undefined, home: string, timeLimitMs: number): string[] =>
  helm ? ["--enable-helm", "--helm-command", guardedHelm(helm, home, { scratch: dirname(home), timeLimitMs })] : [];

interface Tool {
  readonly name: "kustomize" | "kubectl";
  readonly path: string;
  readonly build: readonly string[];
  readonly version: readonly string[];
}

function findTool(options: RendererOptions, searchPath: string): Tool | undefined {
  const restricted = ["--load-restrictor=LoadRestrictionsRootOnly"];
  const kustomize = options.kustomize === undefined ? onPath("kustomize", searchPath) : options.kustomize;
  if (kustomize) return { name: "kustomize", path: kustomize, build: ["build", ...restricted], version: ["version"] };
  const kubectl = options.kubectl === undefined ? onPath("kubectl", searchPath) : options.kubectl;
  if (!kubectl) return undefined;
  return { name: "kubectl", path: kubectl, build: ["kustomize", ...restricted], version: ["version", "--client"] };
}

export function onPath(name: string, searchPath: string): string | undefined {
  const candidates = searchPath.split(delimiter).filter(isAbsolute);
  return candidates
    .map((directory) => join(directory, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

interface Charts {
  readonly helm: HelmTemplate;
  readonly read: (output: string) => Rendered;
}

/** A chart as Argo CD templates it. Charts whose dependencies are not in the repository fail here. */
async function templated({ helm, read }: Charts, chart: HelmBuild): Promise<Rendered> {
  if (!chart.values.every((bytes) => isUtf8(bytes))) return unsupported("a file of values is no text");
  const values = chart.values.map((bytes) => Buffer.from(bytes).toString("utf8"));
  // An archive may hold definitions as well.
  const crds = [...chart.files.keys()].some((path) => /(?:^|\/)crds\/|\.tgz$/.test(path));
  const { files, release, namespace } = chart;
  const built = await helm({ files, release, namespace, values, sets: [], checked: true, crds });
  return built.ok ? read(built.output) : unsupported(built.because);
}

/** `kubectl (kustomize v5.5.0)`, for people. */
async function versionOf(tool: Tool, scratch: string): Promise<string> {
  const answer = await run(tool, tool.version, { home: scratch, timeLimitMs: 10_000 });
  const found = answer.ok ? /(?:Kustomize Version:\s*|^)(v\d+\.\d+\.\d+)/m.exec(answer.output)?.[1] : undefined;
  const version = found ?? "of an unknown version";
  return tool.name === "kubectl" ? `kubectl (kustomize ${version})` : `kustomize ${version}`;
}
