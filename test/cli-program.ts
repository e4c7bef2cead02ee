import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const made = new Map<string, Promise<string>>();

/** The command line as a program that Node starts as it is. */
export function cliProgram(): Promise<string> {
  return programOf("src/cli.ts");
}

/**
 * A module with all that it needs of ours, to be loaded as it is. Compiled at each start by tsx, one costs two seconds of
 * processor time, most of it before its first line.
 */
export function programOf(entry: string): Promise<string> {
  const program = made.get(entry) ?? bundled(entry);
  made.set(entry, program);
  return program;
}

async function bundled(entry: string): Promise<string> {
  // It comes with tsx.
  const esbuild = createRequire(createRequire(import.meta.url).resolve("tsx/package.json"))("esbuild") as Esbuild;
  // Below node_modules, so that packages are found; apart for each process that runs tests.
  const name = basename(entry, ".ts");
  const outdir = resolve("node_modules/.cache/rectify-cli", process.env.VITEST_POOL_ID ?? "0", name);
  await esbuild.build({
    ...{ entryPoints: [entry], outdir, outExtension: { ".js": ".mjs" }, packages: "external" },
    ...{ bundle: true, splitting: true, platform: "node", format: "esm", target: "node20", plugins: [places] },
  });
  return join(outdir, `${name}.mjs`);
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
