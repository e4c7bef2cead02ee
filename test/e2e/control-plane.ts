import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { pinnedModule } from "./definitions.ts";
import { type KubeClient, kubeClient } from "./kube-client.ts";
import { readyStage } from "./kubelet.ts";
import { type Keys, makeKeys, signToken } from "./pki.ts";
import { answers, freePort, type Processes, type Running } from "./processes.ts";

/** The programs of the control plane, by path. */
interface ControlPlanePrograms {
  readonly etcd: string;
  readonly "kube-apiserver": string;
  readonly "kube-controller-manager": string;
  readonly "kube-scheduler": string;
  readonly kwok: string;
}

/** A real API server on loopback with real controllers; kwok acts as the kubelets. */
export interface ControlPlane {
  readonly url: string;
  readonly caPath: string;
  readonly adminToken: string;
  /** For programs that act as the administrator. */
  readonly kubeconfigPath: string;
  /** As the administrator. */
  readonly kube: KubeClient;
  /** What Rectify's ServiceAccount asked for: one line per request, from the audit log of the API server. */
  readonly auditPath: string;
  /** Through the TokenRequest API; the API server gives no lifetime below 600 s. */
  tokenFor(namespace: string, serviceAccount: string, lifeSeconds?: number): Promise<string>;
  /** Signed with the API server's own key, with any lifetime. */
  briefToken(namespace: string, serviceAccount: string, lifeSeconds: number): Promise<string>;
  /** As a crash ends it: its graceful end waits for every open watch. */
  stopApiServer(): Promise<void>;
  startApiServer(): Promise<void>;
  /** The programs end with `processes.stopAll()`. */
  close(): Promise<void>;
}

const issuer = "https://kubernetes.default.svc";
const nodeNames = ["node-1", "node-2", "node-3"] as const;

/** The account whose requests are audited. */
const auditedUser = "system:serviceaccount:rectify:rectify";

export async function startControlPlane(
  scratch: string,
  programs: ControlPlanePrograms,
  processes: Processes,
): Promise<ControlPlane> {
  const directory = join(scratch, "control-plane");
  mkdirSync(directory, { recursive: true });
  const files = filesOf(directory, await freePort());
  const etcdUrl = await startEtcd(directory, programs.etcd, processes);
  let running: Running | undefined;
  const startApiServer = async () => {
    running = await processes.start(apiServer(programs["kube-apiserver"], files, etcdUrl));
  };
  await startApiServer();
  const kube = kubeClient(files.url, readFileSync(files.keys.caPath), files.adminToken);
  await processes.start({
    name: "kube-controller-manager",
    command: programs["kube-controller-manager"],
    args: controllerArgs(files),
  });
  await processes.start({
    name: "kube-scheduler",
    command: programs["kube-scheduler"],
    args: ["--kubeconfig", files.kubeconfigPath, "--leader-elect=false", "--secure-port", "0"],
  });
  await kube.apply(nodeNames.map(nodeOf));
  await startKwok(programs.kwok, { directory, kubeconfigPath: files.kubeconfigPath }, processes);
  return {
    ...{ url: files.url, caPath: files.keys.caPath, adminToken: files.adminToken },
    ...{ kubeconfigPath: files.kubeconfigPath, auditPath: files.auditPath, kube, startApiServer },
    tokenFor: async (namespace, serviceAccount, lifeSeconds = 3600) => {
      const path = `${accountPath(namespace, serviceAccount)}/token`;
      const body = {
        apiVersion: "authentication.k8s.io/v1",
        kind: "TokenRequest",
        spec: { expirationSeconds: lifeSeconds },
      };
      return ((await kube.ask("POST", path, { body })) as { status: { token: string } }).status.token;
    },
    briefToken: async (namespace, name, lifeSeconds) => {
      const account = (await kube.get(accountPath(namespace, name))) as { metadata: { uid: string } };
      const claims = { issuer, namespace, name, uid: account.metadata.uid, lifeSeconds };
      return signToken(files.keys.accountPrivateKey, claims);
    },
    stopApiServer: async () => running?.kill(),
    close: async () => kube.close(),
  };
}

function accountPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${namespace}/serviceaccounts/${name}`;
}

interface Files {
  readonly port: number;
  readonly url: string;
  readonly keys: Keys;
  readonly adminToken: string;
  readonly tokensPath: string;
  readonly kubeconfigPath: string;
  readonly auditPath: string;
  readonly auditPolicyPath: string;
}

function filesOf(directory: string, port: number): Files {
  const keys = makeKeys(directory);
  const adminToken = randomBytes(24).toString("hex");
  const url = `https://127.0.0.1:${port}`;
  const files = {
    ...{ port, url, keys, adminToken, tokensPath: join(directory, "tokens.csv") },
    ...{ kubeconfigPath: join(directory, "kubeconfig.json"), auditPath: join(directory, "audit.log") },
    auditPolicyPath: join(directory, "audit-policy.json"),
  };
  writeFileSync(files.tokensPath, `${adminToken},e2e-admin,e2e-admin,"system:masters"\n`, { mode: 0o600 });
  writeFileSync(files.kubeconfigPath, JSON.stringify(kubeconfigOf(files)), { mode: 0o600 });
  const rules = [{ level: "Metadata", users: [auditedUser], omitStages: ["RequestReceived"] }, { level: "None" }];
  writeFileSync(files.auditPolicyPath, JSON.stringify({ apiVersion: "audit.k8s.io/v1", kind: "Policy", rules }));
  return files;
}

function kubeconfigOf({ url, keys, adminToken }: Files): object {
  return {
    apiVersion: "v1",
    kind: "Config",
    clusters: [{ name: "e2e", cluster: { server: url, "certificate-authority": keys.caPath } }],
    users: [{ name: "admin", user: { token: adminToken } }],
    contexts: [{ name: "e2e", context: { cluster: "e2e", user: "admin" } }],
    "current-context": "e2e",
  };
}

async function startEtcd(directory: string, command: string, processes: Processes): Promise<string> {
  const client = `http://127.0.0.1:${await freePort()}`;
  const peer = `http://127.0.0.1:${await freePort()}`;
  await processes.start({
    name: "etcd",
    command,
    args: [
      ...["--name", "e2e", "--data-dir", join(directory, "etcd")],
      ...["--listen-client-urls", client, "--advertise-client-urls", client],
      ...["--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", `e2e=${peer}`],
    ],
    ready: () => answers(`${client}/health`),
  });
  return client;
}

function apiServer(command: string, files: Files, etcdUrl: string) {
  const { keys, port } = files;
  const args = [
    ...["--etcd-servers", etcdUrl, "--bind-address", "127.0.0.1", "--secure-port", String(port)],
    ...["--tls-cert-file", keys.servingCert, "--tls-private-key-file", keys.servingKey],
    ...["--service-account-key-file", keys.accountPublicKey],
    ...["--service-account-signing-key-file", keys.accountPrivateKey],
    ...["--service-account-issuer", issuer, "--service-account-extend-token-expiration=false"],
    ...["--authorization-mode", "RBAC", "--token-auth-file", files.tokensPath],
    ...["--service-cluster-ip-range", "10.0.0.0/24", "--anonymous-auth=true"],
    ...["--audit-policy-file", files.auditPolicyPath, "--audit-log-path", files.auditPath],
    // Debian's etcd cannot serve streamed lists: a client that is told so at once falls back to ordinary ones.
    "--feature-gates=WatchList=false",
    // No kubelet is there to be asked, and nobody waits for a graceful end.
    ...["--shutdown-delay-duration", "0s", "--endpoint-reconciler-type", "none"],
  ];
  const probe = kubeClient(files.url, readFileSync(keys.caPath), files.adminToken);
  const ready = async () => (await probe.call("GET", "/readyz")).status === 200;
  return { name: "kube-apiserver", command, args, ready, readyMs: 90_000 };
}

/** Only the controllers that the scenarios need. */
const controllers = [
  ...["deployment-controller", "replicaset-controller", "statefulset-controller", "serviceaccount-controller"],
  ...["namespace-controller", "resourcequota-controller", "garbage-collector-controller"],
  ...["horizontal-pod-autoscaler-controller", "root-ca-certificate-publisher-controller", "disruption-controller"],
  // It lifts the taint with which every node begins.
  "node-lifecycle-controller",
  "endpointslice-controller",
];

function controllerArgs({ kubeconfigPath, keys }: Files): readonly string[] {
  return [
    ...["--kubeconfig", kubeconfigPath, "--leader-elect=false", "--controllers", controllers.join(",")],
    ...["--secure-port", "0"],
    ...["--service-account-private-key-file", keys.accountPrivateKey, "--root-ca-file", keys.caPath],
    ...["--horizontal-pod-autoscaler-sync-period", "2s", "--kube-api-qps", "200", "--kube-api-burst", "400"],
  ];
}

async function startKwok(
  command: string,
  { directory, kubeconfigPath }: { readonly directory: string; readonly kubeconfigPath: string },
  processes: Processes,
): Promise<void> {
  const address = `127.0.0.1:${await freePort()}`;
  const common = ["--kubeconfig", kubeconfigPath, "--manage-all-nodes=true", "--node-lease-duration-seconds=40"];
  await processes.start({
    name: "kwok",
    command,
    args: [...common, "--server-address", address, ...stages(directory).flatMap((path) => ["--config", path])],
    ready: () => answers(`http://${address}/healthz`),
  });
}

/** What nodes and pods go through: kwok's own stages, which are not built into it, but for pods that may not come up. */
function stages(scratch: string): readonly string[] {
  const { directory } = pinnedModule("kwok", "sigs.k8s.io/kwok");
  return ["node/fast", "node/heartbeat-with-lease", "pod/fast"].flatMap((folder) => {
    const names = readdirSync(join(directory, "kustomize/stage", folder));
    const files = names.filter((name) => name.endsWith(".yaml") && name !== "kustomization.yaml");
    return files.map((name) => {
      const path = join(directory, "kustomize/stage", folder, name);
      return name === "pod-ready.yaml" ? readyStage(path, scratch) : path;
    });
  });
}

function nodeOf(name: string) {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: {
      name,
      labels: { "kubernetes.io/hostname": name, "kubernetes.io/os": "linux" },
      annotations: { "kwok.x-k8s.io/node": "fake" },
    },
  };
}
