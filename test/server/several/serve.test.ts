import { fileURLToPath } from "node:url";
import { afterEach, expect, test } from "vitest";
import { connectTo } from "../../../src/adapters/postgres/query.ts";
import { openFaults } from "../../../src/server/observability/faults.ts";
import { serveSeveral } from "../../../src/server/several/serve.ts";
import type { Settings } from "../../../src/settings/settings.ts";
import { freshDatabase } from "../../postgres.ts";

const program = fileURLToPath(new URL("./part-program.mjs", import.meta.url));
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function serve(names: readonly string[], cluster = "lab") {
  const repositories = names.map((repo) => ({ owner: "acme", repo }));
  const databaseUrl = await freshDatabase();
  const settings = {
    ...{ repositories, repository: repositories[0], databaseUrl, cluster, host: "127.0.0.1", dataDirectory: "/unused" },
    ...{ webhookPort: 0, internalPort: 0, pages: { kind: "loopback", port: 0 }, sealKey: "k".repeat(32) },
    ...{
      webhookSecret: "s".repeat(32),
      alerts: { token: "t".repeat(32) },
      github: { apiUrl: "https://api.github.com" },
    },
  } as unknown as Settings;
  const telemetry = { log: () => undefined };
  const several = await serveSeveral({ settings, repositories, telemetry, faults: openFaults(telemetry), program });
  closing.push(async () => {
    await several.close();
    const { query, close } = connectTo(databaseUrl);
    for (const url of several.databases.values())
      if (url !== databaseUrl) await query(`drop database "${new URL(url).pathname.slice(1)}" with (force)`);
    await close();
  });
  return several;
}

test("a repository that cannot start does not keep the others from it, whatever their order", async () => {
  for (const names of [
    ["refuses", "bank"],
    ["shop", "refuses"],
  ]) {
    const several = await serve(names);
    const ready = await fetch(`http://127.0.0.1:${several.internalPort}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([200, expect.stringMatching(/acme\/(shop|bank): ready/)]);
    const list = await (await fetch(`http://127.0.0.1:${several.pagesPort}/system`)).text();
    expect(list).toMatch(/not running.* the App is not installed/s);
  }
});

test("where none can start the reason of each is told", async () => {
  await expect(serve(["shop", "bank"], "refuses")).rejects.toThrow(
    "acme/shop: the App is not installed; acme/bank: the App is not installed",
  );
});
