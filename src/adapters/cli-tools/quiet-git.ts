import { existsSync } from "node:fs";
import { simpleGit } from "simple-git";

/** Git in one directory, with this environment and nothing of the user's or the machine's settings. */
export function quietGit(directory: string, environment: Readonly<Record<string, string>> = {}) {
  const base = { PATH: process.env.PATH ?? "", HOME: directory, GIT_TERMINAL_PROMPT: "0", GIT_CONFIG_NOSYSTEM: "1" };
  const all = { ...base, ...environment };
  return simpleGit({
    baseDir: directory,
    // Of silence, not of work: a large repository may take its time.
    timeout: { block: 120_000 },
    // By itself simple-git takes what it has 50 ms after the process ended: on a busy machine half of a list, or nothing.
    // Not `false`: that races with a promise that never ends, which keeps everything around each call for ever.
    completion: { onClose: true, onExit: 10_000 },
    // By itself simple-git takes a failure without a word on stderr, such as "is no ancestor", for a success.
    errors: (error, { exitCode }) => (exitCode === 0 ? undefined : (error ?? new Error(`git exited with ${exitCode}`))),
    // simple-git lets no variable of Git through that is not named; ours are all set right here.
    allowEnvironment: Object.keys(all),
    // Both are ours and fixed: the header that carries the token, and the place of the files.
    unsafe: { allowUnsafeConfigEnvCount: true, allowUnsafeConfigPaths: true },
  }).env(all);
}

/** Whether a command ends with 0; false where there is no such directory. */
export async function succeeds(directory: string, command: string[]): Promise<boolean> {
  if (!existsSync(directory)) return false;
  return quietGit(directory)
    .raw(command)
    .then(
      () => true,
      () => false,
    );
}
