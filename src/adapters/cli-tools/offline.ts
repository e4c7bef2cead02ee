import { execFile } from "node:child_process";
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
    // Short runs: a collection only where memory would grow beyond this.
    GOGC: "off",
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
