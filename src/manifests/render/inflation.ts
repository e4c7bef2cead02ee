import { posix } from "node:path";
import { isRecord } from "../../domain/kubernetes/rendered.ts";
import { chartPlaceOf, inflationGenerator } from "../gitops/inflated-charts.ts";
import { isKustomization } from "../repository/reader.ts";
import { resolveInside } from "../gitops/kustomization.ts";
import { readKubeYaml } from "../yaml/kube-yaml.ts";

/** What kustomize may be allowed about charts: nothing, as there are none; to inflate those that stand among the files. */
type Inflation = { readonly kind: "none" | "local" } | { readonly kind: "refused"; readonly because: string };

type Files = ReadonlyMap<string, Uint8Array>;

/**
 * Kustomize hands charts to helm, and the repository says how: from where a chart is fetched, which values are read, and
 * where helm keeps its plugins, which are programs. Only what is known to stay among the files is let through; every
 * other word is refused, however it is spelled: kustomize reads keys whatever their case.
 */
export function inflationOf(files: Files): Inflation {
  const known = new Set<string>();
  const asked = [...files].flatMap(([path, bytes]): Asked[] => {
    if (!isKustomization(path)) return [];
    const read = documentsOf(bytes);
    const found = read?.flatMap((one) => askedIn(one, posix.dirname(path), { files, known })) ?? [
      { odd: "cannot be read" },
    ];
    return found.map((one) => ("odd" in one ? { odd: `${path}: ${one.odd}` } : one));
  });
  // Without any, helm is not even named, and what is odd says so itself.
  if (asked.every((one) => "odd" in one)) return { kind: "none" };
  const odd = asked.find((one) => "odd" in one);
  if (odd !== undefined) return { kind: "refused", because: odd.odd };
  const stray = [...files].find(([path, bytes]) => !known.has(path) && holdsGenerator(bytes))?.[0];
  if (stray === undefined) return { kind: "local" };
  return { kind: "refused", because: `${stray} inflates a chart, and is not named below generators` };
}

/** A chart whose files are all there, or something that is not followed. */
type Asked = { readonly chart: true } | { readonly odd: string };

interface Place {
  readonly files: Files;
  /** The files of generators that were looked at. */
  readonly known: Set<string>;
}

function askedIn(kustomization: unknown, directory: string, place: Place): Asked[] {
  if (!isRecord(kustomization)) return [];
  const { helmCharts, helmGlobals, generators } = kustomization;
  const words = ["helmCharts", "helmGlobals", "generators"];
  const odd = Object.keys(kustomization).filter(
    // Go takes some letters beyond ASCII for the same as those of ASCII.
    (key) =>
      !words.includes(key) &&
      (/^helm|[^ -~]/i.test(key) || words.some((word) => word.toLowerCase() === key.toLowerCase())),
  );
  const globals = isRecord(helmGlobals) ? helmGlobals : {};
  const home = globals.chartHome;
  return [
    ...odd.map((key) => ({ odd: `${key} is not followed` })),
    ...Object.keys(globals).flatMap((key) =>
      key === "chartHome" ? [] : [{ odd: `helmGlobals.${key} is not followed` }],
    ),
    ...listOf(helmCharts).map((chart) => chartIn(chart, directory, { home, files: place.files })),
    ...listOf(generators).flatMap((one) => generatorsIn(one, directory, place)),
  ];
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : value == null ? [] : [value]);

/** An item below `generators`: a text that holds objects, or the file that does. */
function generatorsIn(item: unknown, directory: string, { files, known }: Place): Asked[] {
  if (typeof item !== "string") return [{ odd: "a generator that is no text" }];
  const target = item.includes("\n") ? undefined : resolveInside(directory, item);
  const bytes = target?.ok ? files.get(target.path) : undefined;
  const read = bytes === undefined ? readText(item) : documentsOf(bytes);
  if (bytes !== undefined && target?.ok) known.add(target.path);
  // A name of no file is a directory: what kustomize builds there may become a generator by a patch.
  if (!read?.every(isRecord)) return [{ odd: `the generator ${item.slice(0, 80)} cannot be read` }];
  return read.flatMap((document) => {
    if (!isGenerator(document))
      return mentionsGenerator(document) ? [{ odd: "a generator inside another object" }] : [];
    const { apiVersion, kind, metadata, ...chart } = document;
    if (apiVersion !== "builtin" || kind !== inflationGenerator || metadata === undefined)
      return [{ odd: "a generator of charts in another spelling" }];
    return [chartIn(chart, directory, { home: undefined, files })];
  });
}

const followed = new Set([
  ...["name", "version", "releaseName", "namespace", "valuesFile", "additionalValuesFiles", "valuesInline"],
  ...["valuesMerge", "includeCRDs", "skipHooks", "skipTests", "apiVersions", "kubeVersion", "chartHome"],
]);

/** What kustomize hands to helm as it is: there a word that begins like a flag is one, and flags name programs. */
function argumentsOf({ name, version, releaseName, namespace, kubeVersion, apiVersions }: Record<string, unknown>) {
  const words = [name, version, releaseName, namespace, kubeVersion, ...listOf(apiVersions)];
  return words.filter((word) => word !== undefined && word !== null);
}

const isPlainWord = (word: string): boolean => /^[A-Za-z0-9][\w.+/-]*$/.test(word);

function chartIn(...[chart, directory, around]: Parameters<typeof problemOf>): Asked {
  const odd = problemOf(chart, directory, around);
  return odd === undefined ? { chart: true } : { odd };
}

/** Why a chart is not left to helm; undefined = all that it asks for is among the files. */
function problemOf(
  chart: unknown,
  directory: string,
  { home, files }: { readonly home: unknown; readonly files: Files },
): string | undefined {
  if (!isRecord(chart)) return "a chart that is no object";
  const odd = Object.keys(chart).find((key) => !followed.has(key));
  if (odd === "repo") return "a chart that would have to be fetched";
  if (odd !== undefined) return `${odd} of a chart is not followed`;
  const flag = argumentsOf(chart).find((word) => typeof word !== "string" || !isPlainWord(word));
  if (flag !== undefined) return `a chart with the word ${JSON.stringify(flag).slice(0, 80)}`;
  const place = chartPlaceOf(chart, typeof home === "string" ? home : undefined);
  const isThere = (path: unknown, name = "") => {
    const target = typeof path === "string" ? resolveInside(directory, path) : undefined;
    return target?.ok === true && files.has(posix.join(target.path, name));
  };
  if (!isThere(place, "Chart.yaml")) return `the chart ${place} is not in the repository`;
  const values = [...listOf(chart.valuesFile), ...listOf(chart.additionalValuesFiles)];
  const lost = values.find((path) => !isThere(path));
  return lost === undefined ? undefined : `the values ${String(lost).slice(0, 80)} are not in the repository`;
}

const mentionsGenerator = (value: unknown): boolean =>
  JSON.stringify(value).toLowerCase().includes(inflationGenerator.toLowerCase());

function isGenerator(document: unknown): document is Record<string, unknown> {
  return (
    isRecord(document) &&
    Object.entries(document).some(
      ([key, value]) =>
        key.toLowerCase() === "kind" && String(value).toLowerCase() === inflationGenerator.toLowerCase(),
    )
  );
}

/** One that is listed nowhere may still be read: a directory may stand below `generators`. */
function holdsGenerator(bytes: Uint8Array): boolean {
  // An escaped letter hides the word from a search.
  if (!/helmchartinflation|\\[ux]/i.test(Buffer.from(bytes).toString("utf8"))) return false;
  return documentsOf(bytes)?.some((document) => isGenerator(document)) ?? true;
}

function documentsOf(bytes: Uint8Array): readonly unknown[] | undefined {
  return readText(Buffer.from(bytes).toString("utf8"));
}

function readText(text: string): readonly unknown[] | undefined {
  const read = readKubeYaml(text);
  return read.ok ? read.value : undefined;
}
