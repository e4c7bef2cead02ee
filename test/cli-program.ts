import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

let made: Promise<string> | undefined;

/**
 * The command line as a program that Node starts as it is. Compiled at each start by tsx, it cost two seconds of
 * processor time, most of it before its first line.
 */
export function cliProgram(): Promise<string> {
  made ??= bundled();
  return made;
}

async function bundled(): Promise<string> {
  // It comes with tsx.
  const esbuild = createRequire(createRequire(import.meta.url).resolve("tsx/package.json"))("esbuild") as Esbuild;
  // Below node_modules, so that packages are found; apart for each process that runs tests.
  const outdir = resolve("node_modules/.cache/rectify-cli", process.env.VITEST_POOL_ID ?? "0");
  await esbuild.build({
    ...{ entryPoints: ["src/cli.ts"], outdir, outExtension: { ".js": ".mjs" }, packages: "external" },
    ...{ bundle: true, splitting: true, platform: "node", format: "esm", target: "node20", plugins: [places] },
  });
  return join(outdir, "cli.mjs");
}

/** What a module finds by its own place is found there still. */
const places: Plugin = {
  name: "places",
  setup: (build) =>
    build.onLoad({ filter: /[/\\]src[/\\].*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, "utf8");
      const place = JSON.stringify(pathToFileURL(path).href);
      return { loader: "ts", contents: text.replaceAll("import.meta.url", place) };
    }),
};

interface Plugin {
  readonly name: string;
  setup(build: {
    onLoad(
      of: { readonly filter: RegExp },
      load: (file: { readonly path: string }) => Promise<{ readonly loader: "ts"; readonly contents: string }>,
    ): void;
  }): void;
}

interface Esbuild {
  build(options: object): Promise<unknown>;
}
