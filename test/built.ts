import { execFile } from "node:child_process";
import { resolve } from "node:path";
import { promisify } from "node:util";

/** Where `built` puts the modules of `src`. */
export const builtDirectory = resolve("dist");

let building: Promise<unknown> | undefined;

/** Compiles the product as it is shipped: a process that is started sixty times need not compile it sixty times. */
export async function built(): Promise<void> {
  building ??= promisify(execFile)("npm", ["run", "-s", "build"]);
  await building;
}
