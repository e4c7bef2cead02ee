import { spawn } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { openMirror } from "../../src/adapters/git-mirror.ts";
import type { Forge } from "../../src/lab/forge/forge.ts";
import { openRepository } from "../../src/lab/repository.ts";
import { approver } from "../../src/lab/scenario.ts";
import type { Finding } from "./finding.ts";

/** The forge's git against the git of this machine, and the bot's mirror against a repository that changes under it. */
export async function checkGit(scratch: string): Promise<readonly Finding[]> {
  const directory = join(scratch, "git-clients");
  mkdirSync(directory, { recursive: true });
  const { forge } = await openRepository(directory, {});
  try {
    return [...(await clientFindings(forge, directory)), ...(await mirrorFindings(forge, directory))];
  } finally {
    await forge.close();
  }
}

async function clientFindings(forge: Forge, directory: string): Promise<Finding[]> {
  const header = `http.extraHeader=Authorization: ${forge.fetchAuthorization()}`;
  const full = join(directory, "full");
  const shallow = join(directory, "shallow");
  const head = await forge.headOf("main");
  const findings = [
    equal("clone", (await git(directory, ["-c", header, "clone", "-q", forge.cloneUrl, full])).status, 0),
    equal("clone, its head", (await git(full, ["rev-parse", "HEAD"])).stdout.trim(), head),
    equal(
      "clone of a private repository without a token",
      await refused(directory, ["clone", "-q", forge.cloneUrl, "x"]),
      true,
    ),
    equal(
      "shallow clone",
      (await git(directory, ["-c", header, "clone", "-q", "--depth=1", forge.cloneUrl, shallow])).status,
      0,
    ),
    equal("shallow clone, its length", (await git(shallow, ["rev-list", "--count", "HEAD"])).stdout.trim(), "1"),
  ];
  const next = await forge.push({ "notes.md": "hello\n" }, { message: "Add notes", author: approver });
  for (const [what, at] of [
    ["fetch", full],
    ["fetch into the shallow clone", shallow],
  ] as const) {
    await git(at, ["-c", header, "fetch", "-q", "origin"]);
    findings.push(equal(what, (await git(at, ["rev-parse", "origin/main"])).stdout.trim(), next));
  }
  await git(full, [
    "-c",
    "user.name=x",
    "-c",
    "user.email=x@example.org",
    "commit",
    "-q",
    "--allow-empty",
    "-m",
    "By hand",
  ]);
  findings.push(equal("push refused", await refused(full, ["-c", header, "push", "-q", "origin", "HEAD:main"]), true));
  findings.push(equal("the branch after the push", await forge.headOf("main"), next));
  return findings;
}

async function mirrorFindings(forge: Forge, directory: string): Promise<Finding[]> {
  const mirror = openMirror({
    directory: join(directory, "mirror"),
    url: forge.cloneUrl,
    authorization: async () => forge.fetchAuthorization(),
  });
  const findings = [equal("mirror, its head", (await mirror.head()).sha, await forge.headOf("main"))];
  const next = await forge.push({ "notes.md": "again\n" }, { message: "Change notes", author: approver });
  findings.push(equal("mirror after a commit", (await mirror.head()).sha, next));
  await git(forge.directory, ["repack", "-a", "-d", "-q"]);
  await git(forge.directory, ["pack-refs", "--all"]);
  const packed = await forge.push({ "notes.md": "packed\n" }, { message: "Change notes again", author: approver });
  findings.push(equal("mirror after the forge repacked", (await mirror.head()).sha, packed));
  const copy = join(directory, "from-mirror");
  findings.push(
    equal("clone of the mirror", (await git(directory, ["clone", "-q", join(directory, "mirror"), copy])).status, 0),
  );
  return findings;
}

interface Ended {
  readonly status: number | null;
  readonly stdout: string;
}

/** Not synchronous: the forge that answers lives in this very process. */
function git(cwd: string, args: readonly string[]): Promise<Ended> {
  const env = { ...process.env, GIT_TERMINAL_PROMPT: "0", GIT_CONFIG_GLOBAL: "/dev/null", GIT_CONFIG_NOSYSTEM: "1" };
  return new Promise((resolve, reject) => {
    const child = spawn("git", args, { cwd, env, stdio: ["ignore", "pipe", "ignore"], timeout: 20_000 });
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.on("error", reject);
    child.on("close", (status) => resolve({ status, stdout }));
  });
}

async function refused(cwd: string, args: readonly string[]): Promise<boolean> {
  return (await git(cwd, args)).status !== 0;
}

function equal(what: string, seen: unknown, wanted: unknown): Finding {
  const same = seen === wanted;
  return {
    what: `git: ${what}`,
    wrong: same ? undefined : `${String(seen)}, not ${String(wanted)}`,
    seen: String(seen),
  };
}
