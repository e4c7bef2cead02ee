import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { chmodSync, cpSync, mkdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { owner, repo } from "../src/lab/repository.ts";
import { scenarioOf } from "../src/lab/scenarios/catalogue.ts";
import { until } from "../src/lab/start.ts";
import { openWorld } from "../src/lab/world.ts";
import { freePort } from "./e2e/processes.ts";
import { freshDatabase } from "./postgres.ts";
import { scratchDirectory } from "./scratch.ts";

/*
 * No container can be built on every machine. What the last stage of the Dockerfile copies is put together here, and
 * started as the Deployment starts it: a read-only root, no privileges, user 10001, nothing to write but two places. Where
 * RECTIFY_IMAGE_ROOT names the files of a built image (docker export), that is started in the same way.
 */

const image = process.env.RECTIFY_IMAGE_ROOT;
const inside = image === undefined ? { app: "/mnt/app", data: "/mnt/data" } : { app: "/app", data: "/var/lib/rectify" };

const isPossible = process.getuid?.() === 0 && spawnSync("unshare", ["-m", "true"]).status === 0;
if (!isPossible) process.stderr.write("The image's steps are not tried: they need root and mount namespaces.\n");

const closing: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, 60_000);

/** `/app` of the image: what is compiled, and exactly the packages that `npm ci --omit=dev --omit=optional` installs. */
function builtApp(): string {
  const app = join(scratchDirectory(), "app");
  mkdirSync(app, { recursive: true });
  const out = join(app, "dist");
  const info = join(app, "..", "build.tsbuildinfo");
  execFileSync("npx", ["tsc", "-p", "tsconfig.build.json", "--outDir", out, "--tsBuildInfoFile", info]);
  cpSync("src/prompts", join(out, "prompts"), { recursive: true });
  for (const file of ["package.json", "app.yml"]) cpSync(file, join(app, file));
  for (const path of productionPackages()) {
    mkdirSync(join(app, dirname(path)), { recursive: true });
    // Hard links where they can be: the packages are never written to.
    execFileSync("sh", ["-c", 'cp -al "$1" "$2" 2>/dev/null || cp -a "$1" "$2"', "sh", path, join(app, path)]);
  }
  for (let at = app; at !== "/tmp" && at !== "/"; at = dirname(at)) chmodSync(at, 0o755);
  return app;
}

function productionPackages(): readonly string[] {
  type Locked = { dev?: boolean; optional?: boolean; devOptional?: boolean };
  const { packages } = JSON.parse(readFileSync("package-lock.json", "utf8")) as { packages: Record<string, Locked> };
  return (
    Object.entries(packages)
      .filter(([path, { dev, optional, devOptional }]) => path !== "" && !dev && !optional && !devOptional)
      .map(([path]) => path)
      // A package brings those within it: they are copied with it.
      .filter((path) => path.lastIndexOf("node_modules/") === 0)
  );
}

const enter = `
set -e
mount --make-rprivate /
mount --bind "$FROM" "$ROOT"
mount --rbind /proc "$ROOT/proc"
mount --rbind /dev "$ROOT/dev"
if [ -n "$APP" ]; then
  mount -t tmpfs tmpfs "$ROOT/mnt"
  mkdir -p "$ROOT/mnt/app" "$ROOT$DATA"
  mount --bind "$APP" "$ROOT/mnt/app"
  mount -o remount,ro,bind "$ROOT/mnt/app"
else
  mount -t tmpfs tmpfs "$ROOT$DATA"
fi
chown 10001:10001 "$ROOT$DATA"
mount -t tmpfs tmpfs "$ROOT/tmp"
chmod 1777 "$ROOT/tmp"
mount -o remount,ro,bind "$ROOT"
cd /
exec chroot "$ROOT" setpriv --reuid=10001 --regid=10001 --clear-groups --no-new-privs --inh-caps=-all \\
  --bounding-set=-all "$@"
`;

/** Runs a command as the container would, with this environment and no other. */
function started(app: string | undefined, env: Readonly<Record<string, string>>, ...command: readonly string[]) {
  const place = { ROOT: scratchDirectory(), FROM: image ?? "/", APP: app ?? "", DATA: inside.data };
  const path =
    image === undefined ? (process.env.PATH ?? "") : "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
  const all = { PATH: path, NODE_ENV: "production", HOME: "/tmp", RECTIFY_DATA: inside.data, ...env };
  const args = ["-m", "sh", "-c", enter, "sh", ...command];
  const child = spawn("unshare", args, { env: { ...all, ...place }, stdio: ["ignore", "pipe", "pipe"] });
  closing.push(() => child.kill("SIGKILL"));
  return child;
}

async function outcomeOf(child: ChildProcess): Promise<{ readonly code: number | null; readonly text: string }> {
  let text = "";
  for (const stream of [child.stdout, child.stderr]) stream?.on("data", (part: Buffer) => (text += part.toString()));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, text };
}

describe.skipIf(!isPossible)("what the image holds", () => {
  test("starts read-only as user 10001, gets ready, and ends in order", async () => {
    const app = image === undefined ? builtApp() : undefined;
    const version = await outcomeOf(started(app, {}, "node", `${inside.app}/dist/cli.js`, "--version"));
    expect(version.text.trim()).toMatch(/^\d+\.\d+\.\d+$/);
    const paths = JSON.stringify([`${inside.app}/x`, "/etc/x", `${inside.data}/x`, "/tmp/x"]);
    const tries = `for (const path of ${paths}) { try { require("fs").writeFileSync(path, ""); console.log("wrote", path); } catch ({ code }) { console.log(code, path); } } console.log(process.getuid())`;
    const written = await outcomeOf(started(app, {}, "node", "-e", tries));
    expect(written.text.trim().split("\n")).toEqual([
      ...[`EROFS ${inside.app}/x`, "EROFS /etc/x", `wrote ${inside.data}/x`, "wrote /tmp/x", "10001"],
    ]);

    const scenario = scenarioOf("scale");
    if (!scenario) throw new Error("the scenario is gone");
    const world = await openWorld(scratchDirectory(), scenario);
    closing.push(() => world.close());
    const internalPort = String(await freePort());
    const { settings, forge, cluster } = world;
    const child = started(
      app,
      {
        ...{ RECTIFY_REPOSITORY: `${owner}/${repo}`, APP_ID: String(settings.app.id) },
        ...{ PRIVATE_KEY: settings.app.privateKey, WEBHOOK_SECRET: settings.webhookSecret },
        ...{ ALERTS_TOKEN: settings.alerts.token, DATABASE_URL: await freshDatabase() },
        ...{ GITHUB_API_URL: forge.apiUrl, GITHUB_CLONE_URL: forge.cloneUrl, KYVERNO: "off" },
        ...{ PROMETHEUS_URL: cluster.urls.prometheus, ALERTMANAGER_URL: settings.alertmanager.url },
        ...{ KUBERNETES_URL: cluster.urls.kubernetes, HOST: "127.0.0.1", INTERNAL_PORT: internalPort },
        ...{ PORT: String(await freePort()), PAGES_PORT: String(await freePort()) },
      },
      ...["node", `${inside.app}/dist/cli.js`, "serve"],
    );
    const ending = outcomeOf(child);
    const ready = () =>
      fetch(`http://127.0.0.1:${internalPort}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    const early = ending.then(({ code, text }) => Promise.reject(new Error(`it ended with ${code}: ${text}`)));
    await Promise.race([until("it to be ready", ready), early]);
    early.catch(() => undefined);
    child.kill("SIGTERM");
    const { code, text } = await ending;
    expect(code, text).toBe(0);
  }, 300_000);

  test.skipIf(image === undefined)("has the programs and the index that it is built with", async () => {
    const faiss = "const { IndexFlatIP: Index } = require('/app/node_modules/faiss-node'); new Index(2).add([1, 0])";
    for (const command of [
      ["kyverno", "version"],
      ["kustomize", "version"],
      ["helm", "version", "--short"],
      ["git", "--version"],
      ["node", "-e", faiss],
    ]) {
      const { code, text } = await outcomeOf(started(undefined, {}, ...command));
      expect(code, `${command.join(" ")}: ${text}`).toBe(0);
    }
  });
});
