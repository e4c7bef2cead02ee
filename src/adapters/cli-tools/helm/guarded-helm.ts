import { writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Limits } from "../offline.ts";

/**
 * A program in a directory that stands in for helm where another tool calls it: only what a chart of the scratch
 * directory needs is handed on. The other tool takes its words from the repository, and a word that begins like a flag
 * is one: `--post-renderer` names a program, `--output-dir` a place to write to. Returns its path.
 */
export function guardedHelm(helm: string, directory: string, { scratch, timeLimitMs }: Limits): string {
  const path = join(directory, "guarded-helm");
  const known = JSON.stringify({ helm, scratch, timeLimitMs });
  writeFileSync(path, `#!${process.execPath}\nconst known = ${known};\n${guard}`, { mode: 0o700 });
  return path;
}

const guard = `
const { spawnSync } = require("node:child_process");
const { realpathSync } = require("node:fs");
const given = process.argv.slice(2);
const isInside = (file) => realpathSync(file).startsWith(realpathSync(known.scratch) + "/");
const isPlain = (word) => /^[A-Za-z0-9][\\w.+/-]*$/.test(word);
const isPlace = (word) => (word.startsWith("/") ? isInside(word) : isPlain(word));
const valued = { "-f": isInside, "--namespace": isPlain, "--kube-version": isPlain, "--api-versions": isPlain };
const alone = ["--generate-name", "--include-crds", "--no-hooks", "--skip-tests"];
function oddIn(words) {
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at];
    if (Object.hasOwn(valued, word)) {
      at += 1;
      if (at === words.length || !valued[word](words[at])) return word + " " + words[at];
    } else if (!alone.includes(word) && !isPlace(word)) return word;
  }
}
const isVersion = given.join(" ") === "version -c --short";
const odd = isVersion ? undefined : given[0] === "template" ? oddIn(given.slice(1)) : (given[0] ?? "nothing");
// Whoever ends the other tool does not end what that one started.
const options = { stdio: "inherit", timeout: known.timeLimitMs, killSignal: "SIGKILL" };
if (odd === undefined) process.exitCode = spawnSync(known.helm, given, options).status ?? 1;
else {
  console.error("helm is not asked for " + JSON.stringify(odd));
  process.exitCode = 1;
}
`;
