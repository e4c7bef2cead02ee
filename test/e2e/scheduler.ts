import type { ApiObject, KubeClient } from "./kube-client.ts";

export interface Scheduler {
  stop(): Promise<void>;
}

const everyMs = 150;

/** Stands in for kube-scheduler: binds every pod that has no node to the next one in turn. */
export function startScheduler(kube: KubeClient, nodes: readonly string[]): Scheduler {
  let turn = 0;
  let current: Promise<void> | undefined;
  const bindAll = async () => {
    for (const { metadata } of await kube.list("/api/v1/pods?fieldSelector=spec.nodeName%3D")) {
      await kube.call("POST", `/api/v1/namespaces/${metadata.namespace}/pods/${metadata.name}/binding`, {
        body: bindingOf(metadata, nodes[turn++ % nodes.length] ?? ""),
      });
    }
  };
  const timer = setInterval(() => {
    // While the API server is away there is nothing to bind.
    current ??= bindAll()
      .catch(() => undefined)
      .finally(() => {
        current = undefined;
      });
  }, everyMs);
  return {
    stop: async () => {
      clearInterval(timer);
      await current;
    },
  };
}

function bindingOf({ name, namespace }: ApiObject["metadata"], node: string) {
  return {
    apiVersion: "v1",
    kind: "Binding",
    metadata: { name, ...(namespace === undefined ? {} : { namespace }) },
    target: { apiVersion: "v1", kind: "Node", name: node },
  };
}
