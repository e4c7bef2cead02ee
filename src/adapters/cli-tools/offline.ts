import { execFile, type ExecFileException, type ExecFileOptions } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";

/** What a tool wrote, or why it did not. */
export type Built = { readonly ok: true; readonly output: string } | { readonly ok: false; readonly because: string };

/** What a build may read: files, and symbolic links to paths beside them. */
interface Readable {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly links?: ReadonlyMap<string, string>;
}

/** Works in a directory of its own that holds nothing but what the build may read, and is gone afterwards. */
export async function inScratch(
  { files, links }: Readable,
  limits: Limits,
  work: (root: string, home: string) => Promise<Built>,
): Promise<Built> {
  const scratch = mkdtempSync(join(limits.scratch, "rectify-render-"));
  try {
    const root = join(scratch, "tree");
    const stray = notWritten(root, files);
    // Written last: no file can be written through one.
    for (const [link, target] of links ?? []) linked(root, link, target);
    if (stray !== undefined) return { ok: false, because: `${stray.slice(0, 100)} cannot be written` };
    const home = join(scratch, "home");
    mkdirSync(home);
    return await work(root, home);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** The first file that no directory can hold, for its name or for a file where its directory should be. */
function notWritten(root: string, files: ReadonlyMap<string, Uint8Array>): string | undefined {
  for (const [path, content] of files) {
    const file = join(root, path);
    try {
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content, { flag: "wx" });
    } catch (error) {
      if (ofItsName.has((error as { code?: string }).code ?? "")) return path;
      throw error;
    }
  }
  return undefined;
}

/** A link whose place is taken is left out: what stands there was put there for this build. */
function linked(root: string, link: string, target: string): void {
  const [from, to] = [join(root, link), join(root, target)];
  try {
    mkdirSync(dirname(from), { recursive: true });
    symlinkSync(relative(dirname(from), to), from);
  } catch (error) {
    if (!ofItsName.has((error as { code?: string }).code ?? "")) throw error;
  }
}

const ofItsName = new Set(["ENAMETOOLONG", "EEXIST", "ENOTDIR", "EISDIR", "ERR_INVALID_ARG_VALUE"]);

export interface Limits {
  readonly timeLimitMs: number;
  readonly scratch: string;
}

/** A port where nobody listens: whatever asks for the network gets a refusal at once. */
const closedProxy = "http://127.0.0.1:9";

export async function run(
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
    // Short runs: a collection only where memory would grow beyond this.
    GOGC: "off",
    GOMEMLIMIT: "400MiB",
    LC_ALL: "C",
  };
  const options = { env, cwd: limits.home, timeLimitMs: limits.timeLimitMs, maxBuffer: 60_000_000 };
  const { error, stdout, stderr, isLate } = await ended(tool.path, args, options);
  if (!error && !isLate) return { ok: true, output: stdout };
  const reason = isLate ? "took too long" : firstLine(stderr) || (error?.message ?? "");
  return { ok: false, because: `${tool.name}: ${reason}`.replaceAll(dirname(limits.home), "").slice(0, 300) };
}

interface Ended {
  readonly error: ExecFileException | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Its time ran out: whatever it wrote, and however it ended, that is not the whole. */
  readonly isLate: boolean;
}

/**
 * Runs a program to its end, or kills it. Not with `execFile`'s own time limit: where the program has just ended by itself,
 * that throws away what was not read yet, and tells of no error.
 */
export function ended(
  path: string,
  args: readonly string[],
  { timeLimitMs, ...options }: Pick<ExecFileOptions, "env" | "cwd" | "maxBuffer"> & { readonly timeLimitMs: number },
): Promise<Ended> {
  return new Promise((resolve) => {
    let isLate = false;
    const child = execFile(path, [...args], { ...options, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
      clearTimeout(timer);
      resolve({ error, stdout, stderr, isLate });
    });
    const timer = setTimeout(() => {
      isLate = true;
      child.kill("SIGKILL");
      // What it began may hold them open.
      for (const stream of [child.stdout, child.stderr]) stream?.destroy();
    }, timeLimitMs);
  });
}

function firstLine(text: string): string {
  const lines = text.split("\n").filter((line) => line.trim() !== "" && !/^(#\s*)?warning/i.test(line));
  // Kubernetes' log prefix says when and where in its source, which nobody needs.
  const reason = (lines[0] ?? "").replace(/^[EF]\d{4} \S+\s+\d+ \S+\] "command failed" err=/, "");
  return reason.trim();
}
