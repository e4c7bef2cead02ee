import { createHash } from "node:crypto";
import { tmpdir } from "node:os";
import {
  type ChartBuild,
  type ChartFound,
  type ChartReference,
  type ChartTools,
  type Rendered,
  isRecord,
  readObject,
} from "../../domain/kubernetes/rendered.ts";
import { readKubeYaml } from "../../manifests/yaml/kube-yaml.ts";
import { type Parsed, parseYamlDocuments } from "../../manifests/yaml/yaml.ts";
import { helmName, outputReader } from "./helm/helm-output.ts";
import { type HelmOptions, type HelmTemplate, helmTemplate } from "./helm/helm-template.ts";
import { type PublishedOptions, publishedCharts } from "./published-charts.ts";
import { onPath } from "./renderer.ts";
import { unpackChart } from "./unpack-chart.ts";
import { keepNewest } from "../../domain/text/keep-newest.ts";

interface ChartOptions extends HelmOptions {
  /** How charts are templated, where that is not one run of `helm` for each. */
  readonly template?: HelmTemplate;
  /** Published charts; without it only charts of the repository are rendered. */
  readonly fetch?: (reference: ChartReference) => Promise<ChartFound>;
  /** What the cluster runs; without it Flux is not asked. */
  readonly running?: ChartTools["running"];
  /** How many renderings are remembered. */
  readonly remembered?: number;
}

/** Templates charts with the Helm that is installed here, offline, each content once. */
export function chartTools(options: ChartOptions): ChartTools {
  const helm = options.template ?? helmTemplate(options);
  const read = outputReader(objectsIn);
  const template = async (build: ChartBuild): Promise<Rendered> => {
    const built = await helm({ ...build, crds: false });
    return built.ok ? read(built.output) : { kind: "unsupported", because: built.because };
  };
  const known = new Map<string, Promise<Rendered>>();
  const nothing = async ({ name }: ChartReference): Promise<ChartFound> => ({
    ok: false,
    because: `the chart ${name} is published elsewhere, and fetching charts is not configured (the server reads CHART_HOSTS)`,
  });
  return {
    fetch: options.fetch ?? nothing,
    ...(options.running ? { running: options.running } : {}),
    unpack: unpackChart,
    template(build) {
      const key = keyOf(build);
      const before = build.fresh === true ? undefined : known.get(key);
      if (before) return before;
      const made = template(build);
      if (build.fresh === true) return made;
      keepNewest(known, key, made, options.remembered ?? 200);
      return made;
    },
  };
}

/** The same with the Helm on `PATH`, which also fetches from the hosts; undefined where there is none. */
export function chartsOnPath(
  published?: Pick<PublishedOptions, "hosts" | "cache" | "credentialsFile">,
  running?: ChartTools["running"],
): ChartTools | undefined {
  const helm = onPath("helm", process.env.PATH ?? "");
  if (helm === undefined) return undefined;
  const fetch = published ? { fetch: publishedCharts(published) } : {};
  return chartTools({
    ...fetch,
    ...(running ? { running } : {}),
    helm,
    limits: { timeLimitMs: 20_000, scratch: tmpdir() },
  });
}

function keyOf(build: ChartBuild): string {
  const { files, release, namespace, values, sets, checked, isUpgrade = false, kubeVersion, apiVersions } = build;
  const hash = createHash("sha256");
  hash.update(JSON.stringify([release, namespace, values, sets, checked, isUpgrade, kubeVersion, apiVersions]));
  for (const path of [...files.keys()].sort()) hash.update(`\0${path}\0`).update(files.get(path) ?? "");
  return hash.digest("hex");
}

/** One document; lists are opened, and what holds nothing is left out. */
function objectsIn(text: string): Rendered {
  const documents = documentsIn(text);
  if (!documents.ok) return { kind: "unsupported", because: `the output of helm: ${documents.problem}` };
  const objects = documents.value.flatMap(itemsOf).map(readObject);
  const known = objects.filter((object) => object !== undefined);
  if (known.length < objects.length) return { kind: "unsupported", because: "helm wrote what is no object" };
  return { kind: "rendered", with: helmName, objects: known };
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
