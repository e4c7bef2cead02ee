import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { runningPostgres, startEmbeddedPostgres } from "../../../src/adapters/postgres/server.ts";
import { probeDatabase } from "../../../src/adapters/postgres/query.ts";
import { clearPostgres } from "../../temporary-postgres.ts";

test("a postmaster.pid whose number belongs to another process by now is no running server", {
  timeout: 120_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), "rectify-pid-"));
  const first = await startEmbeddedPostgres(directory);
  expect(runningPostgres(directory)).toBe(first.url);
  // Where the files really lie: another place when this runs as root.
  const data = [join(directory, "data"), join("/var/tmp/rectify/data", directory.replaceAll("/", "_"), "data")].find(
    (path) => existsSync(join(path, "postmaster.pid")),
  );
  const pidFile = join(data ?? "", "postmaster.pid");
  const lines = readFileSync(pidFile, "utf8").split("\n");
  await first.stop();

  const stranger = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"]);
  try {
    writeFileSync(pidFile, [String(stranger.pid), ...lines.slice(1)].join("\n"));
    expect(runningPostgres(directory)).toBeUndefined();
    const second = await startEmbeddedPostgres(directory);
    expect((await probeDatabase(second.url)).version).toMatch(/^\d/);
    await second.stop();
  } finally {
    stranger.kill();
    await clearPostgres(directory);
    rmSync(directory, { recursive: true, force: true });
  }
});
