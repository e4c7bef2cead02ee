import { until } from "../../src/lab/start.ts";
import type { KubeClient } from "./kube-client.ts";

/** A resource or subresource that discovery lists. */
interface Resource {
  readonly group: string;
  /** `pods` or `pods/exec`. */
  readonly name: string;
  readonly namespaced: boolean;
}

/** One question to the authorizer. */
export interface Question extends Resource {
  readonly verb: string;
  /** Empty: in every namespace at once, or outside of them. */
  readonly namespace: string;
}

interface Listing {
  readonly resources: readonly { readonly name: string; readonly namespaced: boolean }[];
}

interface Groups {
  readonly groups: readonly {
    readonly name: string;
    readonly versions: readonly { readonly groupVersion: string }[];
  }[];
}

/** Everything that the API server offers, of every version: RBAC knows no versions. */
export async function resourcesOf(kube: KubeClient): Promise<readonly Resource[]> {
  const { groups } = (await kube.get("/apis")) as Groups;
  const roots = groups.flatMap(({ name, versions }) =>
    versions.map(({ groupVersion }) => ({ group: name, path: `/apis/${groupVersion}` })),
  );
  const found = new Map<string, Resource>();
  for (const { group, path } of [{ group: "", path: "/api/v1" }, ...roots]) {
    // A group is listed a moment before its resources are.
    const listing = await until(path, async () => (await kube.get(path).catch(() => undefined)) as Listing | undefined);
    for (const { name, namespaced } of listing.resources) {
      found.set(`${group}/${name}`, { group, name, namespaced });
    }
  }
  return [...found.values()];
}

const reads = ["get", "list", "watch"];
const writes = ["create", "update", "patch", "delete", "deletecollection"];
/** What RBAC asks beside the verbs of requests. */
const powers = ["impersonate", "escalate", "bind", "approve", "sign", "attest", "use"];

/** Resources that no discovery lists and that RBAC knows all the same. */
const unlisted: readonly Resource[] = [
  { group: "", name: "users", namespaced: false },
  { group: "", name: "groups", namespaced: false },
  { group: "authentication.k8s.io", name: "uids", namespaced: false },
  { group: "authentication.k8s.io", name: "userextras/scopes", namespaced: false },
  { group: "certificates.k8s.io", name: "signers", namespaced: false },
  { group: "*", name: "*", namespaced: false },
];

/** Every verb on every resource; for a namespaced one also within each of the given namespaces. */
export function questionsAbout(listed: readonly Resource[], namespaces: readonly string[]): readonly Question[] {
  return [...listed, ...unlisted].flatMap((resource) =>
    [...reads, ...writes, ...powers, "*"].flatMap((verb) =>
      (resource.namespaced ? ["", ...namespaces] : [""]).map((namespace) => ({ ...resource, verb, namespace })),
    ),
  );
}

/** The words of a question: `delete apps/deployments in shop-production`. */
export function wordsOf({ verb, group, name, namespace }: Question): string {
  return `${verb} ${group === "" ? name : `${group}/${name}`}${namespace === "" ? "" : ` in ${namespace}`}`;
}

const atOnce = 8;

/** Asks the authorizer of the API server about another account; gives the questions whose answer is yes. */
export async function allowedOf(
  kube: KubeClient,
  account: { readonly namespace: string; readonly name: string },
  questions: readonly Question[],
): Promise<readonly Question[]> {
  const allowed: Question[] = [];
  const open = [...questions];
  const ask = async () => {
    for (let question = open.pop(); question !== undefined; question = open.pop()) {
      const body = {
        apiVersion: "authorization.k8s.io/v1",
        kind: "SubjectAccessReview",
        spec: specOf(account, question),
      };
      const answer = await kube.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", { body });
      if ((answer as { status: { allowed: boolean } }).status.allowed) allowed.push(question);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, ask));
  return allowed;
}

function specOf({ namespace, name }: { readonly namespace: string; readonly name: string }, question: Question) {
  const [resource = "", ...rest] = question.name.split("/");
  return {
    user: `system:serviceaccount:${namespace}:${name}`,
    groups: ["system:serviceaccounts", `system:serviceaccounts:${namespace}`, "system:authenticated"],
    resourceAttributes: {
      ...{ group: question.group, resource, subresource: rest.join("/") },
      ...{ verb: question.verb, namespace: question.namespace },
    },
  };
}
