import type { Entry, ObjectChange } from "../../kubernetes/manifest-edit.ts";
import { controllerNamespace } from "../../kubernetes/rendered.ts";

/** What a reversal changes in one entry, and where the guardrails let it change anything. */
interface Reached {
  readonly entry: Entry;
  readonly changes: readonly ObjectChange[];
  /** Of the guardrails. */
  readonly namespaces: readonly string[];
}

// Built-in kinds that belong to no namespace.
const clusterWide =
  /^(?:Cluster[A-Z]\w*|PersistentVolume|StorageClass|PriorityClass|IngressClass|RuntimeClass|Node|CustomResourceDefinition|APIService|CSIDriver|\w+WebhookConfiguration|\w+AdmissionPolicy(?:Binding)?)$/;

/**
 * Why another entry than the workload's own may not lose a commit's effect: an object of it lies where the guardrails
 * allow nothing, with the line that would allow it; undefined = all lie where changes are allowed. Fails closed.
 */
export function outOfBounds({ entry, changes, namespaces }: Reached): string | undefined {
  for (const { object } of changes) {
    const namespace = namespaceOf(object, entry);
    if (namespace !== undefined && namespaces.includes(namespace)) continue;
    const what = `${nameOf(entry)} reads the same files, and ${object.kind}/${object.name}`;
    if (namespace === undefined) {
      return `${what} in it belongs to no namespace that can be told, so no line of the guardrails allows it: revert by hand`;
    }
    const line = `namespaces: [${[...namespaces, namespace].join(", ")}]`;
    return `${what} in it lies in namespace ${namespace}, where the guardrails allow no change (${line} would)`;
  }
  return undefined;
}

/** The same for the workload's own entry, whose manifests may leave the namespace to their controller. */
export function ownOutOfBounds({ entry, changes, namespaces }: Reached): string | undefined {
  return outOfBounds({ entry, changes: changes.filter(({ object }) => placedIn(object) !== undefined), namespaces });
}

function namespaceOf(object: ObjectChange["object"], entry: Entry): string | undefined {
  return placedIn(object) ?? (clusterWide.test(object.kind) ? undefined : controllerNamespace(entry.spec ?? {}));
}

function placedIn({ kind, name, namespace }: ObjectChange["object"]): string | undefined {
  if (kind === "Namespace") return name;
  return namespace === "" || clusterWide.test(kind) ? undefined : namespace;
}

function nameOf(entry: Entry): string {
  return entry.object ?? entry.path ?? "another entry";
}
