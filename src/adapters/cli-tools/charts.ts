import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  type ChartBuild,
  type ChartFound,
  type ChartReference,
  type ChartTools,
  type Rendered,
  type RenderedObject,
  isRecord,
  readObject,
} from "../../domain/kubernetes/rendered.ts";
import { readKubeYaml } from "../../manifests/yaml/kube-yaml.ts";
import { type Parsed, parseYamlDocuments } from "../../manifests/yaml/yaml.ts";
import { inScratch, kubeVersion, type Limits, onPath, run } from "./renderer.ts";
import { type PublishedOptions, publishedCharts } from "./published-charts.ts";
import { unpackChart } from "./unpack-chart.ts";

interface ChartOptions {
  /** The path of `helm`. */
  readonly helm: string;
  readonly limits: Limits;
  /** Published charts; without it only charts of the repository are rendered. */
  readonly fetch?: (reference: ChartReference) => Promise<ChartFound>;
  /** How many renderings are remembered. */
  readonly remembered?: number;
}

/** Templates charts with the Helm that is installed here, offline, each content once. */
export function chartTools(options: ChartOptions): ChartTools {
  const known = new Map<string, Promise<Rendered>>();
  const nothing = async ({ name }: ChartReference): Promise<ChartFound> => ({
    ok: false,
    because: `the chart ${name} is published elsewhere, and fetching charts is not configured`,
  });
  return {
    fetch: options.fetch ?? nothing,
    unpack: unpackChart,
    template(build) {
      const key = keyOf(build);
      const before = build.fresh === true ? undefined : known.get(key);
      if (before) return before;
      const made = template(options, build);
      if (build.fresh === true) return made;
      known.set(key, made);
      const [oldest] = known.keys();
      if (known.size > (options.remembered ?? 200) && oldest !== undefined) known.delete(oldest);
      return made;
    },
  };
}

/** The same with the Helm on `PATH`, which also fetches from the hosts; undefined where there is none. */
export function chartsOnPath(
  published?: Pick<PublishedOptions, "hosts" | "cache" | "credentialsFile">,
): ChartTools | undefined {
  const helm = onPath("helm", process.env.PATH ?? "");
  if (helm === undefined) return undefined;
  const fetch = published ? { fetch: publishedCharts(published) } : {};
  return chartTools({ ...fetch, helm, limits: { timeLimitMs: 20_000, scratch: tmpdir() } });
}

function keyOf({ files, release, namespace, values, sets, checked }: ChartBuild): string {
  const hash = createHash("sha256");
  hash.update(JSON.stringify([release, namespace, values, sets, checked]));
  for (const path of [...files.keys()].sort()) hash.update(`\0${path}\0`).update(files.get(path) ?? "");
  return hash.digest("hex");
}

async function template({ helm, limits }: ChartOptions, build: ChartBuild): Promise<Rendered> {
  const { release, namespace, sets } = build;
  const strange = [...build.files.keys()].find((path) =>
    path.split("/").some((part) => ["", ".", ".."].includes(part)),
  );
  if (strange !== undefined) return { kind: "unsupported", because: `${strange} is no plain path` };
  const files = new Map([...build.files].map(([path, bytes]) => [join("chart", path), bytes] as const));
  const built = await inScratch(files, limits, (root, home) => {
    const texts = build.values.map((text, n) => {
      const path = join(root, `values-${n}.yaml`);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
      return path;
    });
    const args = ["template", release, join(root, "chart"), "--namespace", namespace, "--kube-version", kubeVersion];
    const values = texts.flatMap((path) => ["--values", path]);
    const single = sets.flatMap((set) => [
      set.isString ? "--set-string" : "--set",
      `${set.name}=${escaped(set.value)}`,
    ]);
    const unchecked = build.checked ? [] : ["--skip-schema-validation"];
    return run({ name: "helm", path: helm }, [...args, ...values, ...single, ...unchecked], {
      home,
      timeLimitMs: limits.timeLimitMs,
    });
  });
  return built.ok ? objectsIn(built.output) : { kind: "unsupported", because: built.because };
}

const escaped = (value: string): string => value.replace(/[\\,]/g, "\\$&");

/** Helm's output as objects; lists are opened, documents without content are left out. */
function objectsIn(output: string): Rendered {
  const objects: RenderedObject[] = [];
  for (const text of output.split(/^---[ \t]*(?:#.*)?$/m)) {
    const documents = documentsIn(text);
    if (!documents.ok) return { kind: "unsupported", because: `the output of helm: ${documents.problem}` };
    for (const item of documents.value.flatMap(itemsOf)) {
      const object = readObject(item);
      if (object === undefined) return { kind: "unsupported", because: "helm wrote what is no object" };
      objects.push(object);
    }
  }
  return { kind: "rendered", with: "helm template", objects };
}

/**
 * Our own reader refuses what tools read differently. Here both sides of a comparison come from the same tool, so the
 * common reader will do for such a document.
 */
function documentsIn(text: string): Parsed<unknown[]> {
  const strict = readKubeYaml(text, "kubernetes");
  if (strict.ok) return strict;
  const common = parseYamlDocuments(text);
  return common.ok ? { ok: true, value: common.value.filter((one) => one !== null && one !== undefined) } : common;
}

const itemsOf = (document: unknown): readonly unknown[] =>
  isRecord(document) && document.kind === "List" && Array.isArray(document.items) ? document.items : [document];
