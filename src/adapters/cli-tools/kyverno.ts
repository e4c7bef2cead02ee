import { access, constants, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { type Policy, type PolicyFile, readPolicies } from "../../domain/gate/policy.ts";
import {
  type BatchReport,
  batchesOf,
  notEvaluated,
  type PolicyEngine,
  readPolicyReports,
} from "../../domain/gate/policy-report.ts";
import type { RenderedObject } from "../../domain/kubernetes/rendered.ts";
import { ended } from "./offline.ts";
import { parseYamlDocuments } from "../../manifests/yaml/yaml.ts";

/** Where to look for the Kyverno CLI, and how long it may take. */
export interface KyvernoOptions {
  /** The executable that the settings name; then nothing else is tried. */
  readonly path?: string | undefined;
  /** The directory into which `npm run tools:kyverno` builds. */
  readonly toolsDirectory: string;
  /** The PATH of the process. */
  readonly searchPath: string;
  readonly timeoutMs: number;
}

/** The CLI, or why there is none. */
type FoundKyverno =
  | { readonly kind: "found"; readonly path: string; readonly version: string }
  | { readonly kind: "absent"; readonly because: string };

/** Versions whose report was read by our tests. Older ones answer some policies differently (kyverno#12292). */
const testedVersions: readonly string[] = ["1.19.1"];

const longestReport = 64 * 2 ** 20;

/** The gate's policy engine: the Kyverno CLI in a process of its own, on a scratch directory, without a cluster. */
export function kyvernoEngine(options: KyvernoOptions): PolicyEngine {
  return {
    async judge(question) {
      const found = await findKyverno(options);
      if (found.kind === "absent") return notEvaluated(found.because);
      const files = question.files.map(parsedFile);
      const { policies, problems } = readPolicies(files);
      if (problems[0] !== undefined) return notEvaluated(problems[0]);
      const offline = policies.filter((policy) => policy.needs === undefined);
      if (offline.length === 0) return notEvaluated("there is no policy that can be judged without a cluster");
      if (question.objects.length === 0) return notEvaluated("there was no object to judge");
      const { timeoutMs } = options;
      const until = performance.now() + timeoutMs;
      const reports: BatchReport[] = [];
      for (const objects of batchesOf(question.objects)) {
        const report = await runApply(found.path, { files, offline, objects }, { timeoutMs, until });
        if (!report.ok) return notEvaluated(`the policy check did not run: ${report.because}`);
        reports.push({ json: report.text, objects });
      }
      return readPolicyReports(reports, policies);
    },
  };
}

/** Looks at the settings' path, then into the tools' cache, then into PATH; only a tested version counts. */
export async function findKyverno(options: KyvernoOptions): Promise<FoundKyverno> {
  const candidates = options.path === undefined ? await candidatesOf(options) : [options.path];
  let because = "the Kyverno CLI was not found: run `npm run tools:kyverno` or set KYVERNO";
  for (const path of candidates) {
    const timeoutMs = 20_000;
    const until = performance.now() + timeoutMs;
    const answer = await run(path, ["version"], { timeoutMs, until, directory: tmpdir() });
    const version = /^Version: v?(\S+)/m.exec(answer.stdout)?.[1];
    if (version !== undefined && testedVersions.includes(version)) return { kind: "found", path, version };
    because =
      version === undefined
        ? `${path} is not a Kyverno CLI that runs`
        : `${path} is version ${version.slice(0, 40)}: tested are ${testedVersions.join(", ")}`;
  }
  return { kind: "absent", because };
}

async function candidatesOf({ toolsDirectory, searchPath }: KyvernoOptions): Promise<string[]> {
  const builds = await readdir(toolsDirectory).catch(() => []);
  const paths = [
    ...builds.sort().map((build) => join(toolsDirectory, build, "kyverno")),
    ...searchPath
      .split(delimiter)
      .filter((directory) => directory.startsWith("/"))
      .flatMap((directory) => [join(directory, "kyverno"), join(directory, "kubectl-kyverno")]),
  ];
  const executable = await Promise.all(
    paths.map((path) =>
      access(path, constants.X_OK).then(
        () => true,
        () => false,
      ),
    ),
  );
  return paths.filter((_, index) => executable[index]);
}

function parsedFile({ path, content }: { path: string; content: string }): PolicyFile {
  const parsed = parseYamlDocuments(content);
  return { path, documents: parsed.ok ? parsed.value : undefined };
}

/** The time for all batches together, for people, and when it is over. */
interface Limits {
  readonly timeoutMs: number;
  /** As `performance.now()` counts. */
  readonly until: number;
}

interface Apply {
  readonly files: readonly PolicyFile[];
  readonly offline: readonly Policy[];
  readonly objects: readonly RenderedObject[];
}

type Report = { readonly ok: true; readonly text: string } | { readonly ok: false; readonly because: string };

/**
 * Our own file names only: nothing from the repository becomes a path or an argument. Policies that need a cluster are
 * not handed over: the CLI would answer their calls from the given files, or go to the network.
 */
async function runApply(path: string, apply: Apply, limits: Limits): Promise<Report> {
  const scratch = await mkdtemp(join(tmpdir(), "rectify-gate-"));
  try {
    const policies = join(scratch, "policies");
    await mkdir(policies);
    const names = new Set(apply.offline.map((policy) => policy.name));
    const documents = apply.files.flatMap((file) => file.documents ?? []).filter((item) => names.has(nameOf(item)));
    await Promise.all(documents.map((item, index) => writeFile(join(policies, `${index}.yaml`), JSON.stringify(item))));
    const objects = join(scratch, "objects.yaml");
    // JSON is YAML: no rendering of ours can change a value.
    await writeFile(objects, apply.objects.map((object) => JSON.stringify(object)).join("\n---\n"));
    const argv = ["apply", policies, "--resource", objects, "--policy-report", "--output-format", "json"];
    const answer = await run(path, argv, { ...limits, directory: scratch });
    if (answer.failure !== undefined) return { ok: false, because: answer.failure };
    return { ok: true, text: answer.stdout };
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function nameOf(document: unknown): string {
  return (document as { metadata?: { name?: string } } | null)?.metadata?.name ?? "";
}

interface Ran {
  readonly stdout: string;
  /** Set when the process did not come to an end of its own. Its exit code says too little to be asked. */
  readonly failure: string | undefined;
}

async function run(
  path: string,
  argv: readonly string[],
  limits: Limits & { readonly directory: string },
): Promise<Ran> {
  // No kubeconfig, no credentials, no way out: a policy from the repository is not trusted with the process's own.
  const env = {
    HOME: limits.directory,
    PATH: "/nonexistent",
    KUBECONFIG: "/dev/null",
    HTTP_PROXY: "http://127.0.0.1:9",
    HTTPS_PROXY: "http://127.0.0.1:9",
  };
  // Not 0: that would be no limit at all.
  const timeLimitMs = Math.max(1, Math.ceil(limits.until - performance.now()));
  const options = { env, cwd: limits.directory, timeLimitMs, maxBuffer: longestReport };
  const { error, stdout, isLate } = await ended(path, argv, options);
  return { stdout, failure: isLate ? `no answer within ${limits.timeoutMs / 1000} s` : failureOf(error) };
}

function failureOf(error: (Error & { code?: string | number | null }) | null) {
  if (error === null || error.code === 1) return undefined;
  if (error.code === "ERR_CHILD_PROCESS_STDIO_MAXBUFFER") return "its report is too long";
  if (typeof error.code === "number") return `it ended with ${error.code}`;
  return `it could not be run or was killed (${error.code ?? "signal"})`;
}
