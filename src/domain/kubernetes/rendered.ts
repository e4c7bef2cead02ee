/** One Kubernetes object as the GitOps controller would apply it. Everything but identity is unknown to us. */
export interface RenderedObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly [field: string]: unknown };
  readonly [field: string]: unknown;
}

/** What an entry produces, or why that cannot be known. A rendering is never approximate. */
export type Rendered =
  | {
      readonly kind: "rendered";
      /** The renderer and its version, for people. */
      readonly with: string;
      readonly objects: readonly RenderedObject[];
    }
  | { readonly kind: "unsupported"; readonly because: string };

/** `apiVersion/Kind namespace/name`: an object is the same object while these are. */
export function objectKey(object: RenderedObject): string {
  return `${object.apiVersion}/${object.kind} ${object.metadata.namespace ?? ""}/${object.metadata.name}`;
}

/** Reads a value as an object with an identity; undefined when it has none. */
export function readObject(value: unknown): RenderedObject | undefined {
  if (!isRecord(value) || !isRecord(value.metadata)) return undefined;
  const { apiVersion, kind, metadata } = value;
  const { name, namespace } = metadata;
  if (typeof apiVersion !== "string" || typeof kind !== "string" || typeof name !== "string") return undefined;
  if (namespace !== undefined && typeof namespace !== "string") return undefined;
  return value as unknown as RenderedObject;
}

/** True for a plain map: not null, not a list. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value below a path of keys and indexes. */
export function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  return path.reduce<unknown>((here, step) => {
    if (Array.isArray(here)) return (here as unknown[])[Number(step)];
    return isRecord(here) && Object.hasOwn(here, step) ? here[step] : undefined;
  }, value);
}

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

/** A HelmRelease of the cluster. */
export interface FluxRelease {
  readonly namespace: string;
  readonly name: string;
}

/** The chart that Flux installed, or the reason why its archive is not taken. */
export type RunningChart =
  | { readonly ok: true; readonly files: ChartFiles; readonly version: string; readonly digest: string | undefined }
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
  /** What runs is changed, as Flux does; Argo CD templates as if nothing ran. */
  readonly isUpgrade?: boolean;
  /** The Kubernetes that the chart is told of, where it is not the usual one. */
  readonly kubeVersion?: string;
  /** APIs that the cluster has beside those of Kubernetes itself. */
  readonly apiVersions?: readonly string[];
  /** Renders anew, although the same build is known: what differs then is chance. */
  readonly fresh?: boolean;
}

/** Whether Kubernetes takes a text as the name of an object or of a namespace; its length is not looked at. */
export function isName(text: string): boolean {
  return /^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/.test(text);
}

/** Why a chart cannot be installed under these names; undefined = it can. */
export function unfitNames({ release, namespace }: Pick<ChartBuild, "release" | "namespace">): string | undefined {
  if (isName(release) && isName(namespace)) return undefined;
  return `Kubernetes takes no release ${release} in a namespace ${namespace}: only small letters, digits and dashes`;
}

export interface ChartSet {
  readonly name: string;
  readonly value: string;
  readonly isString: boolean;
}

/** What charts need from outside. All answer from a cache whenever they can and never throw. */
export interface ChartTools {
  /** What Helm makes of the build, offline. */
  readonly template: (build: ChartBuild) => Promise<Rendered>;
  /** A published chart. */
  readonly fetch: (reference: ChartReference) => Promise<ChartFound>;
  /** The chart that the cluster runs for a Flux release, at its exact archive; absent where no cluster is asked. */
  readonly running?: (release: FluxRelease) => Promise<RunningChart>;
  /** The files of a packed chart; undefined when the archive is none. */
  readonly unpack: (archive: Uint8Array) => ChartFiles | undefined;
}

/** Where a controller with this spec puts objects that name no namespace themselves; undefined = it does not say. */
export function controllerNamespace({ targetNamespace, destination }: Readonly<Record<string, unknown>>) {
  const named = targetNamespace ?? (isRecord(destination) ? destination.namespace : undefined);
  return typeof named === "string" && named !== "" ? named : undefined;
}
