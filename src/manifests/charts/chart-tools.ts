import type { Rendered } from "../../domain/kubernetes/rendered.ts";

/** The files of one chart by their path below it: `Chart.yaml` stands at the top. */
export type ChartFiles = ReadonlyMap<string, Uint8Array>;

/** A chart that is published somewhere, at one exact version. */
export interface ChartReference {
  /** `https://…` of a chart repository, or `oci://…` of the chart itself. */
  readonly url: string;
  readonly name: string;
  readonly version: string;
  /** `sha256:…` where the repository names one. */
  readonly digest?: string;
}

/** A chart or the reason why it is not available. */
export type ChartFound =
  | { readonly ok: true; readonly files: ChartFiles }
  | { readonly ok: false; readonly because: string };

/** Everything that templating a chart depends on: equal builds give equal objects. */
export interface ChartBuild {
  readonly files: ChartFiles;
  readonly release: string;
  readonly namespace: string;
  /** Texts of values, weakest first. */
  readonly values: readonly string[];
  /** Single values that win over all texts, as `helm --set` takes them. */
  readonly sets: readonly ChartSet[];
  /** False for values that nobody means: a schema has nothing to say about them. */
  readonly checked: boolean;
  /** Renders anew, although the same build is known: what differs then is chance. */
  readonly fresh?: boolean;
}

export interface ChartSet {
  readonly name: string;
  readonly value: string;
  readonly isString: boolean;
}

/** What charts need from outside. All three answer from a cache whenever they can and never throw. */
export interface ChartTools {
  /** What Helm makes of the build, offline. */
  readonly template: (build: ChartBuild) => Promise<Rendered>;
  /** A published chart. */
  readonly fetch: (reference: ChartReference) => Promise<ChartFound>;
  /** The files of a packed chart; undefined when the archive is none. */
  readonly unpack: (archive: Uint8Array) => ChartFiles | undefined;
}
