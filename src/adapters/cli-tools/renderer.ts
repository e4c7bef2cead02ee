import { execFile } from "node:child_process";
import { accessSync, constants, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, dirname, isAbsolute, join } from "node:path";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { Rendered } from "../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { type HelmBuild, helmBuild } from "../../manifests/render/helm-build.ts";
import { preparedBuild, readBuilt } from "../../manifests/render/prepared-build.ts";
import { render } from "../../manifests/render/render.ts";

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
  let version: Promise<string> | undefined;
  return {
    async render(tree, entry) {
      const chart = helm ? helmBuild(tree, entry) : undefined;
      if (helm && chart !== undefined) return chart.kind === "prepared" ? template(helm, chart, limits) : chart;
      const own = render(tree, entry);
      if (tool === undefined) return own;
      const prepared = preparedBuild(tree, entry);
      // Where no tool builds the directory our own reason says what is in the way.
      if (prepared.kind === "unsupported") return own.kind === "rendered" || prepared.isPlain ? own : prepared;
      const built = await inScratch(prepared.files, limits, (root, home) =>
        run(tool, [...tool.build, ...(prepared.inflates ? inflating(helm) : []), join(root, prepared.directory)], {
          home,
          timeLimitMs: limits.timeLimitMs,
        }),
      );
      // Kustomize alone forbids what Flux allows: files of the repository above the directory.
      if (!built.ok) return own.kind === "rendered" && entry.tool === "flux" ? own : unsupported(built.because);
      version ??= versionOf(tool, limits.scratch);
      return readBuilt(built.output, prepared, await version);
    },
  };
}

function unsupported(because: string): Rendered {
  return { kind: "unsupported", because };
}

/** Charts that stand among the files are inflated, offline as all else. */
const inflating = (helm: string | null | undefined): string[] =>
  helm ? ["--enable-helm", "--helm-command", helm] : [];

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

type Built = { readonly ok: true; readonly output: string } | { readonly ok: false; readonly because: string };

/** Works in a directory of its own that holds nothing but what the build may read, and is gone afterwards. */
export async function inScratch(
  files: ReadonlyMap<string, Uint8Array>,
  limits: Limits,
  work: (root: string, home: string) => Promise<Built>,
): Promise<Built> {
  const scratch = mkdtempSync(join(limits.scratch, "rectify-render-"));
  try {
    const root = join(scratch, "tree");
    for (const [path, content] of files) {
      const file = join(root, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content, { flag: "wx" });
    }
    const home = join(scratch, "home");
    mkdirSync(home);
    return await work(root, home);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

export interface Limits {
  readonly timeLimitMs: number;
  readonly scratch: string;
}

/** A chart as Argo CD templates it. Charts whose dependencies are not in the repository fail here. */
async function template(path: string, chart: HelmBuild, limits: Limits): Promise<Rendered> {
  const { directory, release, namespace, valueFiles } = chart;
  const built = await inScratch(chart.files, limits, (root, home) => {
    const values = valueFiles.flatMap((file) => ["--values", join(root, file)]);
    const args = ["template", release, join(root, directory), "--namespace", namespace, "--include-crds", ...values];
    args.push("--kube-version", kubeVersion);
    return run({ name: "helm", path }, args, { home, timeLimitMs: limits.timeLimitMs });
  });
  return built.ok ? readBuilt(built.output, { flux: undefined }, "helm template") : unsupported(built.because);
}

/**
 * The Kubernetes that charts are told of. Helm's own answer hangs on how it was built, and charts refuse versions that
 * are too old for them. Both sides of every comparison are told the same.
 */
export const kubeVersion = "1.33.0";

/** A port where nobody listens: whatever asks for the network gets a refusal at once. */
const closedProxy = "http://127.0.0.1:9";

export function run(
  tool: { name: string; path: string },
  args: readonly string[],
  limits: { home: string; timeLimitMs: number },
): Promise<Built> {
  const env = {
    // No other program can be found: neither git for remote bases nor plugins.
    PATH: limits.home,
    HOME: limits.home,
    // Wherever a repository says that helm keeps its plugins, which are programs: there are none.
    HELM_PLUGINS: join(limits.home, "no-plugins"),
    TMPDIR: limits.home,
    HTTP_PROXY: closedProxy,
    HTTPS_PROXY: closedProxy,
    ALL_PROXY: closedProxy,
    GOMEMLIMIT: "400MiB",
    LC_ALL: "C",
  };
  const options = {
    env,
    cwd: limits.home,
    timeout: limits.timeLimitMs,
    killSignal: "SIGKILL",
    maxBuffer: 60_000_000,
  } as const;
  return new Promise((resolve) => {
    execFile(tool.path, args, options, (error, stdout, stderr) => {
      if (!error) return resolve({ ok: true, output: stdout });
      const reason = error.killed ? "took too long" : firstLine(stderr) || error.message;
      resolve({ ok: false, because: `${tool.name}: ${reason}`.replaceAll(dirname(limits.home), "").slice(0, 300) });
    });
  });
}

function firstLine(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !/^(#\s*)?warning/i.test(line));
  // Kubernetes' log prefix says when and where in its source, which nobody needs.
  const reason = (lines[0] ?? "").replace(/^[EF]\d{4} \S+\s+\d+ \S+\] "command failed" err=/, "");
  return reason.trim();
}

/** `kubectl (kustomize v5.5.0)`, for people. */
async function versionOf(tool: Tool, scratch: string): Promise<string> {
  const answer = await run(tool, tool.version, { home: scratch, timeLimitMs: 10_000 });
  const found = answer.ok ? /(?:Kustomize Version:\s*|^)(v\d+\.\d+\.\d+)/m.exec(answer.output)?.[1] : undefined;
  const version = found ?? "of an unknown version";
  return tool.name === "kubectl" ? `kubectl (kustomize ${version})` : `kustomize ${version}`;
}
