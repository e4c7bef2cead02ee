import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { until } from "../../../src/lab/start.ts";
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

test("who is killed while it makes the data leaves the next start nothing in the way", {
  timeout: 120_000,
}, async () => {
  const directory = mkdtempSync(join(tmpdir(), "rectify-half-made-"));
  const program = `import { startEmbeddedPostgres } from "./src/adapters/postgres/server.ts"; await startEmbeddedPostgres(${JSON.stringify(directory)});`;
  const args = ["--import", "tsx", "--input-type=module", "-e", program];
  const killed = spawn(process.execPath, args, { detached: true, stdio: "ignore" });
  const homes = [directory, join("/var/tmp/rectify/data", directory.replaceAll("/", "_"))];
  const written = homes.flatMap((home) => ["data.new", "data"].map((data) => join(home, data, "PG_VERSION")));
  try {
    await until("initdb at work", () => written.some((file) => existsSync(file)), 60_000);
    process.kill(-(killed.pid ?? 0), "SIGKILL");
    const next = await startEmbeddedPostgres(directory);
    expect((await probeDatabase(next.url)).version).toMatch(/^\d/);
    await next.stop();
  } finally {
    killed.kill("SIGKILL");
    await clearPostgres(directory);
    rmSync(directory, { recursive: true, force: true });
  }
});
