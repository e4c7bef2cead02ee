import type { Answer, Asked } from "./api-server.ts";
import { type KubeObject, textAt } from "../objects/kube-object.ts";
import type { KubeStore } from "../objects/kube-store.ts";

/** The kind behind each plural of a URL. */
const kinds: Readonly<Record<string, string>> = {
  ...{ deployments: "Deployment", statefulsets: "StatefulSet", replicasets: "ReplicaSet", pods: "Pod" },
  ...{ events: "Event", services: "Service", nodes: "Node", namespaces: "Namespace", resourcequotas: "ResourceQuota" },
  ...{ horizontalpodautoscalers: "HorizontalPodAutoscaler", poddisruptionbudgets: "PodDisruptionBudget" },
  ...{ kustomizations: "Kustomization", applications: "Application", gitrepositories: "GitRepository" },
  ...{ helmreleases: "HelmRelease", helmrepositories: "HelmRepository", daemonsets: "DaemonSet" },
};

const reviews = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";

/** Reads only: everything but GET, and a review of what the caller may do, is forbidden and told to `onWrite`. */
export function kubernetesAnswer(store: KubeStore, asked: Asked, onWrite: (what: string) => void): Answer {
  const { method, path, query, partial } = asked;
  if (method === "POST" && path === reviews) return { status: 201, body: reviewed(asked.body) };
  if (method !== "GET") {
    onWrite(`${method} ${path}`);
    return failure(403, "Forbidden", `the lab allows no ${method}: GitHub is the only source of truth`);
  }
  if (path === "/version") return { status: 200, body: { major: "1", minor: "34", gitVersion: "v1.34.1" } };
  if (path === "/readyz" || path === "/livez" || path === "/healthz") return { status: 200, body: "ok" };
  const target = readPath(path);
  const kind = target && kinds[target.plural];
  if (!target || kind === undefined)
    return failure(404, "NotFound", "the server could not find the requested resource");
  if (target.name !== undefined) {
    const found = store.get(kind, target.namespace, target.name);
    return found
      ? { status: 200, body: found }
      : failure(404, "NotFound", `${target.plural} "${target.name}" not found`);
  }
  const all = store.list(kind, target.namespace).filter((object) => selected(object, query));
  return {
    status: 200,
    body: listOf(kind, target.apiVersion, partial ? all.slice(0, Math.ceil(all.length / 2)) : all, { query, partial }),
  };
}

/** The lab's account may read and nothing else, as that of manifests/rectify. */
function reviewed(body: string): object {
  const review = JSON.parse(body) as { spec?: { resourceAttributes?: { verb?: string } } };
  const verb = review.spec?.resourceAttributes?.verb ?? "";
  return { ...review, metadata: {}, status: { allowed: verb === "get" || verb === "list" } };
}

interface Target {
  readonly apiVersion: string;
  readonly namespace: string | undefined;
  readonly plural: string;
  readonly name: string | undefined;
}

function readPath(path: string): Target | undefined {
  const match =
    /^\/(?:api\/(v1)|apis\/([^/]+\/[^/]+))(?:\/namespaces\/([^/]+)(?=\/[^/]+))?\/([a-z]+)(?:\/([^/]+))?$/.exec(path);
  if (!match?.[4]) return undefined;
  return { apiVersion: match[1] ?? match[2] ?? "", namespace: match[3], plural: match[4], name: match[5] };
}

/** Equality selectors on labels and fields, as far as the API server has them for every kind. */
function selected(object: KubeObject, query: URLSearchParams): boolean {
  const requirements = (name: string) => (query.get(name) ?? "").split(",").filter((text) => text !== "");
  const labels = requirements("labelSelector").every((text) => {
    const [name = "", value] = text.split(/==?/);
    return value === undefined
      ? object.metadata.labels?.[name] !== undefined
      : object.metadata.labels?.[name] === value;
  });
  const fields = requirements("fieldSelector").every((text) => {
    const unequal = text.includes("!=");
    const [path = "", value = ""] = text.split(unequal ? "!=" : /==?/);
    return (textAt(object, ...path.split(".")) === value) !== unequal;
  });
  return labels && fields;
}

interface Page {
  readonly query: URLSearchParams;
  readonly partial: boolean;
}

function listOf(kind: string, apiVersion: string, objects: readonly KubeObject[], { query, partial }: Page): object {
  const from = Number(query.get("continue") ?? 0);
  const limit = Number(query.get("limit") ?? 0);
  const items = limit > 0 ? objects.slice(from, from + limit) : objects.slice(from);
  const rest = objects.length - from - items.length;
  const more = rest > 0 ? { continue: String(from + items.length), remainingItemCount: rest } : {};
  // The API has no word for "partial"; an expired list is as near as it gets.
  const cut = partial && rest <= 0 ? { continue: String(from + items.length) } : {};
  return { kind: `${kind}List`, apiVersion, metadata: { resourceVersion: "1", ...more, ...cut }, items };
}

function failure(code: number, reason: string, message: string): Answer {
  return {
    status: code,
    body: { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure", message, reason, code },
  };
}
