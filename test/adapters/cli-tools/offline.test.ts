import { chmodSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { run } from "../../../src/adapters/cli-tools/offline.ts";
import { scratchDirectory } from "../../scratch.ts";

function aTool(script: string): { readonly tool: { name: string; path: string }; readonly home: string } {
  const home = scratchDirectory();
  const path = join(home, "tool");
  writeFileSync(path, `#!/bin/sh\n${script}\n`);
  chmodSync(path, 0o755);
  return { tool: { name: "tool", path }, home };
}

test("what ended while nobody could read it is never taken for all that it wrote", async () => {
  const { tool, home } = aTool("/usr/bin/head -c 60000 /dev/zero");
  const running = run(tool, [], { home, timeLimitMs: 500 });
  // As a process that is starved, or stands still for a heap snapshot: the tool ends, and then its time is over.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_000);
  expect(await running).toEqual({ ok: false, because: "tool: took too long" });
});

test("a tool that leaves a child behind with its output open is given up in time", async () => {
  const { tool, home } = aTool("/bin/sleep 20 & exec /bin/sleep 20");
  expect(await run(tool, [], { home, timeLimitMs: 300 })).toEqual({ ok: false, because: "tool: took too long" });
});

test("what a tool wrote until its end is the whole", async () => {
  const { tool, home } = aTool("/usr/bin/head -c 900000 /dev/zero");
  const built = await run(tool, [], { home, timeLimitMs: 60_000 });
  expect(built.ok && built.output.length).toBe(900_000);
});
