import { Agent, request } from "node:https";

/** An object of the API server, as it is. */
export interface ApiObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    readonly [field: string]: unknown;
  };
  readonly [field: string]: unknown;
}

interface ApiAnswer {
  readonly status: number;
  readonly body: unknown;
}

interface ApiCall {
  readonly body?: unknown;
  readonly contentType?: string;
  /** Another caller than the administrator. */
  readonly token?: string;
}

/** Plain calls of the API server, without a client library between. */
export interface KubeClient {
  /** Whatever the API server says; throws only when it says nothing. */
  call(method: string, path: string, call?: ApiCall): Promise<ApiAnswer>;
  /** The body of a success; throws on anything else. */
  ask(method: string, path: string, call?: ApiCall): Promise<unknown>;
  get(path: string): Promise<unknown>;
  list(path: string): Promise<readonly ApiObject[]>;
  /** Server-side apply, one after the other. */
  apply(objects: readonly ApiObject[]): Promise<void>;
  /** The address of an object. */
  pathOf(object: Pick<ApiObject, "apiVersion" | "kind" | "metadata">): Promise<string>;
  close(): void;
}

interface ApiResource {
  readonly name: string;
  readonly kind: string;
  readonly namespaced: boolean;
}

export function kubeClient(url: string, ca: Buffer, adminToken: string): KubeClient {
  const agent = new Agent({ ca, keepAlive: true, maxSockets: 8 });
  const call: KubeClient["call"] = (method, path, options = {}) =>
    send(agent, new URL(url + path), { method, token: adminToken, ...options });
  const ask: KubeClient["ask"] = async (method, path, options) => {
    const { status, body } = await call(method, path, options);
    if (status >= 300) throw new Error(`${method} ${path}: HTTP ${status} ${messageOf(body)}`);
    return body;
  };
  const get = (path: string) => ask("GET", path);
  const pathOf = pathsOf(get);
  return {
    ...{ call, ask, get, pathOf },
    list: async (path) => ((await get(path)) as { items: ApiObject[] }).items,
    apply: async (objects) => {
      for (const object of objects) {
        const path = `${await pathOf(object)}?fieldManager=e2e&force=true`;
        await ask("PATCH", path, { body: object, contentType: "application/apply-patch+yaml" });
      }
    },
    close: () => agent.destroy(),
  };
}

/** Kinds that are not there yet (a definition that was just created) are waited for. */
function pathsOf(get: (path: string) => Promise<unknown>): KubeClient["pathOf"] {
  const known = new Map<string, readonly ApiResource[]>();
  const resourceOf = async (apiVersion: string, kind: string): Promise<ApiResource> => {
    for (let attempt = 0; attempt < 50; attempt += 1) {
      const found = known.get(apiVersion)?.find((item) => item.kind === kind && !item.name.includes("/"));
      if (found) return found;
      if (attempt > 0) await new Promise((resume) => setTimeout(resume, 200));
      const answer = await get(rootOf(apiVersion)).catch(() => ({ resources: [] }));
      known.set(apiVersion, (answer as { resources: ApiResource[] }).resources);
    }
    throw new Error(`the API server knows no ${apiVersion} ${kind}`);
  };
  return async ({ apiVersion, kind, metadata }) => {
    const { name, namespaced } = await resourceOf(apiVersion, kind);
    const within = namespaced ? `/namespaces/${metadata.namespace ?? "default"}` : "";
    return `${rootOf(apiVersion)}${within}/${name}/${metadata.name}`;
  };
}

function rootOf(apiVersion: string): string {
  return apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
}

function send(agent: Agent, url: URL, { method, body, contentType, token }: ApiCall & { method: string }) {
  return new Promise<ApiAnswer>((resolve, reject) => {
    const headers = {
      authorization: `Bearer ${token ?? ""}`,
      accept: "application/json",
      ...(body === undefined ? {} : { "content-type": contentType ?? "application/json" }),
    };
    const outgoing = request(url, { method, headers, agent, timeout: 20_000 }, (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
      incoming.on("error", reject);
      incoming.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({ status: incoming.statusCode ?? 0, body: parsed(text) });
      });
    });
    outgoing.on("timeout", () => outgoing.destroy(new Error(`${method} ${url.pathname}: no answer`)));
    outgoing.on("error", reject);
    outgoing.end(body === undefined ? undefined : JSON.stringify(body));
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function messageOf(body: unknown): string {
  return typeof body === "string" ? body.slice(0, 200) : String((body as { message?: unknown } | null)?.message ?? "");
}
