import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ChartBuild, ChartSet } from "../../../domain/kubernetes/rendered.ts";
import { type Built, inScratch, type Limits, run } from "../offline.ts";

/** One run of `helm template`: equal ones give equal text, but for what a chart draws by chance. */
export interface Templating extends Omit<ChartBuild, "fresh"> {
  /** With the chart's own definitions of resources. */
  readonly crds: boolean;
}

/** What Helm writes for a chart, offline. */
export type HelmTemplate = (asked: Templating) => Promise<Built>;

export interface HelmOptions {
  /** The path of `helm`. */
  readonly helm: string;
  readonly limits: Limits;
}

/** Templates each chart by a run of its own. */
export function helmTemplate(options: HelmOptions): HelmTemplate {
  return async (asked) => {
    const strange = strangePath(asked);
    if (strange !== undefined) return { ok: false, because: `${strange} is no plain path` };
    const files = new Map([...asked.files].map(([path, bytes]) => [join("chart", path), bytes] as const));
    return inScratch({ files }, options.limits, (root, home) => {
      const values = asked.values.flatMap((text, n) => ["--values", written(root, `values-${n}.yaml`, text)]);
      const sets = asked.sets.flatMap((set) => setting(set));
      return runHelm(options, home, [asked, join(root, "chart"), [...values, ...sets]]);
    });
  };
}

/** A path that could lead out of the directory that a chart is written to. */
export function strangePath({ files }: Templating): string | undefined {
  return [...files.keys()].find((path) => path.split("/").some((part) => ["", ".", ".."].includes(part)));
}

/** Writes a text below a directory. */
export function written(root: string, name: string, text: string | Uint8Array): string {
  const path = join(root, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
  return path;
}

/** The value as an argument, below a key where one is given. */
export function setting({ name, value, isString }: ChartSet, below = ""): string[] {
  return [isString ? "--set-string" : "--set", `${below}${name}=${value.replace(/[\\,]/g, "\\$&")}`];
}

type Run = readonly [asked: Omit<Templating, "files" | "values" | "sets">, chart: string, values: readonly string[]];

/** Runs `helm template` for the chart at a path. */
export function runHelm({ helm, limits }: HelmOptions, home: string, [asked, chart, values]: Run): Promise<Built> {
  const crds = asked.crds ? ["--include-crds"] : [];
  const unchecked = asked.checked ? [] : ["--skip-schema-validation"];
  const upgrade = asked.isUpgrade === true ? ["--is-upgrade"] : [];
  const args = ["template", asked.release, chart, "--namespace", asked.namespace, ...crds, ...upgrade];
  const { timeLimitMs } = limits;
  const apis = (asked.apiVersions ?? []).flatMap((one) => ["--api-versions", one]);
  const cluster = ["--kube-version", asked.kubeVersion ?? usualVersion, ...apis];
  return run({ name: "helm", path: helm }, [...args, ...cluster, ...values, ...unchecked], { home, timeLimitMs });
}

/**
 * The Kubernetes that charts are told of. Helm's own answer hangs on how it was built, and charts refuse versions that
 * are too old for them. Both sides of every comparison are told the same.
 */
const usualVersion = "1.33.0";
