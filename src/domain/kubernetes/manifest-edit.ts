import type { Workload } from "./workload.ts";

/** The one change of a workload that is wanted, in the words of the live cluster, before anyone knows the file. */
export type WantedChange =
  | { readonly kind: "replicas"; readonly to: number }
  | { readonly kind: "hpa"; readonly field: "minReplicas" | "maxReplicas"; readonly to: number }
  | { readonly kind: "scaled-object"; readonly field: "minReplicaCount" | "maxReplicaCount"; readonly to: number }
  | { readonly kind: "resources"; readonly field: ResourceField; readonly to: string }
  | { readonly kind: "image-tag"; readonly to: string };

/** A path below a container's `resources`. */
export type ResourceField = `${"requests" | "limits"}.${"cpu" | "memory"}`;

/** Where the GitOps controller (or a person) starts to read the desired state of a workload. */
export interface Entry {
  readonly tool: "flux" | "argocd" | "kustomize" | "plain" | "unknown";
  /** Directory or file in the repository, `/`-separated, relative; null when nobody could say. */
  readonly path: string | null;
  readonly cluster?: string;
  /** The controller's object, for people: `Kustomization flux-system/apps`. */
  readonly object?: string;
  /** The address of the repository that it reads, as the controller's source names it. */
  readonly repository?: string;
  /** True where that is another repository than the one that we work on: what stands here decides nothing there. */
  readonly elsewhere?: boolean;
  /** The Flux release that installed the workload, where one did: `HelmRelease shop/web`. */
  readonly release?: string;
  /** The workload that was asked about. */
  readonly workload?: Workload;
  /** The spec of that object as the cluster holds it, which the repository may not show: Argo CD `source`, Flux patches. */
  readonly spec?: Readonly<Record<string, unknown>>;
  /** True where that spec is the repository's own with the patches of others, and not what the cluster said. */
  readonly isPatched?: boolean;
}

/** One changed file: whole text before and after. `before` is null for a new file. */
export interface FileEdit {
  readonly path: string;
  readonly before: string | null;
  readonly after: string;
}

/** The same where files may go, too: `after` is null for one that goes. */
export interface FileChange {
  readonly path: string;
  readonly before: string | null;
  readonly after: string | null;
}

/** One link of the reason why Git owns the field where we edit it, for people: file, YAML path and why. */
export interface OwnerLink {
  readonly path: string;
  readonly field: string;
  readonly because: string;
}

/** Why no byte may be changed. The words are those of the locate benchmark. */
export type RefusalReason =
  | "ambiguous"
  | "ambiguous-values-key"
  | "chart-hardcoded"
  | "deliberately-disabled"
  | "digest-pinned"
  | "generated-file"
  | "guard-comment"
  | "hpa-managed"
  | "image-automation"
  | "jsonnet"
  | "keda-managed"
  | "not-found"
  | "operator-owned"
  | "other-source"
  | "parse-error"
  | "remote-base"
  | "shared-anchor"
  | "shared-patch"
  | "shared-source"
  | "template";

/** Where an edit shows in what is rendered, when that is not the workload in the entry that was asked for. */
export interface ShownAt {
  /** The entry that makes the object: one that the asked entry deploys. */
  readonly entry?: Entry;
  /** The object that runs the workload, or that it is copied from; `field` where an operator reads it from there. */
  readonly object?: { readonly kind: string; readonly name: string; readonly field?: string };
}

/** The edit of the field that Git really owns, or a refusal that says what a person could do. */
export type ManifestEdit =
  | {
      readonly kind: "edit";
      readonly files: readonly FileEdit[];
      readonly owners: readonly OwnerLink[];
      readonly warnings: readonly string[];
      /** What the edit changes in the objects of a chart, where it was rendered before and after. */
      readonly rendered?: ChartRendered;
      readonly shows?: ShownAt;
      /** Why no rendering is a proof that the edit arrives: a person must look. */
      readonly unproven?: string;
    }
  | { readonly kind: "refused"; readonly reason: RefusalReason; readonly because: string; readonly fix: string };

/** What was seen of a chart before and after an edit. */
export interface ChartRendered {
  readonly with: string;
  readonly changes: readonly ObjectChange[];
  /** What the chart draws anew each time it is rendered (passwords, certificates, hashes of them): nobody's change. */
  readonly byChance?: readonly Pick<ObjectChange, "object" | "field">[];
}

/** One field of one rendered object that an edit changes. Undefined = absent on that side. */
export interface ObjectChange {
  readonly object: Workload & { readonly apiVersion: string };
  /** Path into the object, list items by index. */
  readonly field: readonly (string | number)[];
  readonly from: unknown;
  readonly to: unknown;
}

/** What an edit changes in the rendered objects, and how that is known. */
export interface Effect {
  readonly changes: readonly ObjectChange[];
  /** Hex SHA-256 of the changes: stable against key order, comments and moved files. */
  readonly hash: string;
  /** `rendered` = built before and after and compared; `static` = argued from the source, needs a person. */
  readonly proof:
    | { readonly kind: "rendered"; readonly with: string }
    | { readonly kind: "static"; readonly because: string };
}
