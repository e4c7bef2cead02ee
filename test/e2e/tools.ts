import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const script = fileURLToPath(new URL("../tools/build.sh", import.meta.url));

/** The path of a program that is built from its Go module, at once when it is in the cache. */
export function toolPath(name: string): string {
  const { status, stdout } = spawnSync("bash", [script, name], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "inherit"],
    maxBuffer: 64 * 1024 * 1024,
  });
  const path = stdout.trim().split("\n").at(-1) ?? "";
  if (status !== 0 || path === "") throw new Error(`test/tools/build.sh ${name} failed`);
  return path;
}
