/** Random kustomizations, the same for the same seed: what our renderer and the real tool are compared on. */
export function kustomizeCase(seed: number): Readonly<Record<string, string>> {
  const random = randomOf(seed);
  const objects = baseObjects(random);
  const files: Record<string, string> = {};
  const resources: string[] = [];
  for (const [index, object] of objects.entries()) {
    const name = `o${index}.yaml`;
    files[`base/${name}`] = textOf(object, random);
    resources.push(name);
  }
  files["base/kustomization.yaml"] = json({ resources, ...decoration(random, 0.25) });
  const components = random.chance(0.3) ? ["../component"] : undefined;
  if (components) {
    files["component/kustomization.yaml"] = json({
      apiVersion: "kustomize.config.k8s.io/v1alpha1",
      kind: "Component",
      ...patches(random, objects, files, "component"),
      ...decoration(random, 0.3),
    });
  }
  files["overlay/kustomization.yaml"] = json({
    resources: ["../base"],
    ...(components ? { components } : {}),
    ...decoration(random, 0.5),
    ...patches(random, objects, files, "overlay"),
    ...(random.chance(0.3) ? { replicas: [{ name: "web", count: random.below(9) }] } : {}),
    ...(random.chance(0.3) ? { images: [image(random)] } : {}),
    ...(random.chance(0.4) ? { configMapGenerator: [generator(random)] } : {}),
    ...(random.chance(0.2)
      ? { secretGenerator: [{ name: "key", literals: [`token=${"x".repeat(random.below(90))}`] }] }
      : {}),
  });
  return files;
}

interface Random {
  below(limit: number): number;
  chance(share: number): boolean;
  pick<T>(items: readonly T[]): T;
}

/** A linear congruential generator: plain, and the same everywhere. */
function randomOf(seed: number): Random {
  let state = (seed * 2_654_435_761 + 12_345) >>> 0;
  const next = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return (state >>> 8) / 2 ** 24;
  };
  for (let round = 0; round < 5; round += 1) next();
  const below = (limit: number) => Math.floor(next() * limit);
  return {
    below,
    chance: (share) => next() < share,
    pick: (items) => items[below(items.length)] as (typeof items)[number],
  };
}

type Value = Record<string, unknown>;

const json = (value: unknown) => JSON.stringify(value, null, 1);

/** JSON is YAML; sometimes a value is written with nothing behind the colon. */
function textOf(object: Value, random: Random): string {
  return json(object).replaceAll('"EMPTY"', () => (random.chance(0.5) ? "null" : "~"));
}

function baseObjects(random: Random): Value[] {
  const metadata = (name: string) => ({
    name,
    ...(random.chance(0.3) ? { namespace: random.pick(["one", "two", "default"]) } : {}),
    ...(random.chance(0.5) ? { labels: { app: name } } : {}),
    ...(random.chance(0.3) ? { annotations: random.chance(0.3) ? {} : { note: "kept" } } : {}),
    ...(random.chance(0.2) ? { creationTimestamp: "EMPTY" } : {}),
  });
  const workload = (kind: string, name: string): Value => ({
    apiVersion: "apps/v1",
    kind,
    metadata: metadata(name),
    spec: {
      ...(random.chance(0.7) ? { replicas: random.below(5) } : {}),
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: podSpec(random) },
      ...(kind === "StatefulSet" ? { serviceName: "svc", volumeClaimTemplates: [{ metadata: { name: "data" } }] } : {}),
    },
  });
  const all = [
    workload("Deployment", "web"),
    workload("Deployment", "worker"),
    workload("StatefulSet", "store"),
    { apiVersion: "v1", kind: "ServiceAccount", metadata: metadata("runner"), imagePullSecrets: [{ name: "key" }] },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "RoleBinding",
      metadata: metadata("bind"),
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
      subjects: [
        {
          kind: "ServiceAccount",
          name: "runner",
          ...(random.chance(0.5) ? { namespace: random.pick(["one", "two"]) } : {}),
        },
        { kind: "ServiceAccount", name: "default", namespace: "one" },
      ],
    },
    {
      apiVersion: "rbac.authorization.k8s.io/v1",
      kind: "Role",
      metadata: metadata("reader"),
      rules: [{ resourceNames: ["settings"] }],
    },
    { apiVersion: "rbac.authorization.k8s.io/v1", kind: "ClusterRole", metadata: { name: "all" }, rules: [] },
    { apiVersion: "v1", kind: "Namespace", metadata: { name: random.pick(["one", "shop"]) } },
    {
      apiVersion: "v1",
      kind: "Service",
      metadata: metadata("svc"),
      spec: { selector: { app: "web" }, ports: servicePorts(random) },
    },
    { apiVersion: "v1", kind: "ConfigMap", metadata: metadata("settings"), data: { mode: "fast", empty: "" } },
    {
      apiVersion: "autoscaling/v2",
      kind: "HorizontalPodAutoscaler",
      metadata: metadata("web"),
      spec: {
        scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "web" },
        minReplicas: 1,
        maxReplicas: 4,
      },
    },
    {
      apiVersion: "networking.k8s.io/v1",
      kind: "Ingress",
      metadata: metadata("entry"),
      spec: { tls: [{ secretName: "key" }], rules: [{ http: { paths: [{ backend: { service: { name: "svc" } } }] } }] },
    },
    {
      apiVersion: "example.org/v1",
      kind: "Widget",
      metadata: metadata("thing"),
      spec: { items: [{ name: "a", size: 1 }, { name: "b" }], nothing: "EMPTY", containers: [{ image: "nginx:1" }] },
    },
    {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: metadata("web"),
      spec: { selector: { matchLabels: { app: "web" } } },
    },
  ];
  return all.filter((_, index) => index === 0 || random.chance(0.6));
}

function servicePorts(random: Random): Value[] {
  const named = random.chance(0.5) ? { protocol: "TCP" } : {};
  return [
    { port: 80, ...named, targetPort: "http" },
    { port: 81, ...named },
  ].slice(random.below(2));
}

function podSpec(random: Random): Value {
  const container = (name: string): Value => ({
    name,
    image: random.pick(["nginx", "nginx:1.2", "ghcr.io/o/app:v1@sha256:0123", "localhost:5000/app"]),
    ...(random.chance(0.5)
      ? {
          env: [
            { name: "A", value: "1" },
            { name: "B", valueFrom: { secretKeyRef: { name: "key", key: "t" } } },
          ],
        }
      : {}),
    ...(random.chance(0.5) ? { ports: [{ containerPort: 80 }, { containerPort: 443, name: "tls" }] } : {}),
    ...(random.chance(0.3)
      ? {
          ports: [
            { containerPort: 53, protocol: "TCP" },
            { containerPort: 53, protocol: "UDP" },
          ],
        }
      : {}),
    ...(random.chance(0.5) ? { volumeMounts: [{ name: "v", mountPath: "/v" }] } : {}),
    ...(random.chance(0.5) ? { resources: random.chance(0.5) ? {} : { requests: { cpu: "100m" } } } : {}),
    ...(random.chance(0.3) ? { envFrom: [{ configMapRef: { name: "settings" } }] } : {}),
    ...(random.chance(0.2) ? { securityContext: "EMPTY", args: ["a", "b"] } : {}),
  });
  return {
    ...(random.chance(0.5) ? { serviceAccountName: "runner" } : {}),
    containers: random.chance(0.5) ? [container("main")] : [container("main"), container("side")],
    ...(random.chance(0.3) ? { initContainers: [container("first")] } : {}),
    volumes: [
      { name: "v", emptyDir: {} },
      { name: "c", configMap: { name: "settings" } },
    ].slice(random.below(3)),
    ...(random.chance(0.2)
      ? { tolerations: [{ key: "x", operator: "Exists" }], imagePullSecrets: [{ name: "key" }] }
      : {}),
    ...(random.chance(0.2)
      ? { topologySpreadConstraints: [{ topologyKey: "zone", maxSkew: 1, labelSelector: { matchLabels: {} } }] }
      : {}),
  };
}

function decoration(random: Random, share: number): Value {
  return {
    ...(random.chance(share) ? { namespace: random.pick(["shop", "one"]) } : {}),
    ...(random.chance(share / 2) ? { namePrefix: random.pick(["p-", "q-"]) } : {}),
    ...(random.chance(share / 2) ? { nameSuffix: "-s" } : {}),
    ...(random.chance(share) ? { commonAnnotations: { owner: random.pick(["x", "y"]) } } : {}),
    ...(random.chance(share / 2) ? { commonLabels: { tier: "front" } } : {}),
    ...(random.chance(share)
      ? {
          labels: [
            { pairs: { part: "a" }, includeSelectors: random.chance(0.3), includeTemplates: random.chance(0.4) },
          ],
        }
      : {}),
    ...(random.chance(0.1) ? { commonAnnotations: {} } : {}),
  };
}

function image(random: Random): Value {
  return {
    name: random.pick(["nginx", "ghcr.io/o/app", "localhost:5000/app"]),
    ...(random.chance(0.7) ? { newTag: random.pick(["2", "v9"]) } : {}),
    ...(random.chance(0.4) ? { newName: random.pick(["mirror/nginx", "nginx"]) } : {}),
    ...(random.chance(0.2) ? { digest: "sha256:feed" } : {}),
  };
}

function generator(random: Random): Value {
  const behavior = random.pick([undefined, undefined, "merge", "replace", "create"]);
  return {
    name: behavior ? "settings" : random.pick(["settings2", "made"]),
    ...(behavior ? { behavior } : {}),
    literals: ["mode=slow", `quoted="${random.pick(["a b", "<&>", "é"])}"`],
    ...(random.chance(0.4)
      ? { options: { disableNameSuffixHash: random.chance(0.5), labels: { made: "yes-it-is" } } }
      : {}),
  };
}

function patches(random: Random, objects: readonly Value[], files: Record<string, string>, at: string): Value {
  const entries: Value[] = [];
  const merges: string[] = [];
  for (let index = 0; index < 3; index += 1) {
    if (random.chance(0.4)) continue;
    const object = random.pick(objects);
    const change = strategicPatch(random, object);
    const name = `patch${index}.yaml`;
    files[`${at}/${name}`] = json(change);
    if (random.chance(0.2)) merges.push(name);
    else if (random.chance(0.3)) entries.push({ path: name, target: target(random, object) });
    else entries.push(random.chance(0.5) ? { path: name } : { patch: json(change) });
  }
  if (random.chance(0.3)) entries.push({ target: target(random, random.pick(objects)), patch: jsonPatch(random) });
  return {
    ...(entries.length > 0 ? { patches: entries } : {}),
    ...(merges.length > 0 ? { patchesStrategicMerge: merges } : {}),
  };
}

function target(random: Random, object: Value): Value {
  const { name } = object.metadata as Value;
  return random.pick([
    { kind: object.kind },
    { kind: object.kind, name },
    { kind: "Deployment|StatefulSet" },
    { name: `${String(name).slice(0, 2)}.*` },
    { labelSelector: "app=web" },
    { kind: object.kind, annotationSelector: "note" },
  ]);
}

function jsonPatch(random: Random): string {
  return json([
    random.pick([
      { op: "add", path: "/metadata/labels", value: { fresh: "1" } },
      { op: "add", path: "/metadata/annotations", value: { "a/b": "1" } },
      { op: "replace", path: "/spec/replicas", value: 7 },
      { op: "remove", path: "/metadata/labels" },
      { op: "add", path: "/spec/template/spec/containers/0/env/-", value: { name: "Z", value: null } },
      { op: "add", path: "/metadata/annotations/note~1x", value: "y" },
      { op: "test", path: "/metadata/name", value: "web" },
      { op: "add", path: "/spec/ports/0", value: { port: 99 } },
    ]),
  ]);
}

function strategicPatch(random: Random, object: Value): Value {
  const metadata = object.metadata as Value;
  const identity = { name: metadata.name, ...(metadata.namespace ? { namespace: metadata.namespace } : {}) };
  const head = {
    apiVersion: object.apiVersion,
    kind: object.kind,
    metadata: {
      ...identity,
      ...(random.chance(0.3) ? { labels: { patched: "1" }, annotations: { note: random.pick(["n", null]) } } : {}),
    },
  };
  if (random.chance(0.08)) return { ...head, $patch: "delete" };
  return { ...head, ...bodyPatch(random, String(object.kind)) };
}

function bodyPatch(random: Random, kind: string): Value {
  if (kind === "Deployment" || kind === "StatefulSet") return { spec: workloadPatch(random) };
  if (kind === "Service") {
    return {
      spec: {
        ports: [
          random.pick([
            { port: 80, name: "n" },
            { port: 80, protocol: "TCP", name: "n" },
            { port: 90 },
            { port: 81, $patch: "delete" },
          ]),
        ],
      },
    };
  }
  if (kind === "ConfigMap")
    return { data: random.pick([{ mode: "x" }, { mode: null, more: "y" }, { $patch: "replace", only: "z" }]) };
  if (kind === "HorizontalPodAutoscaler") return { spec: { maxReplicas: 9, metrics: [{ type: "Resource" }] } };
  if (kind === "Widget")
    return {
      spec: { items: [{ name: "b", size: 2 }], nothing: random.pick([null, { deep: 1 }]), more: { x: null, y: {} } },
    };
  if (kind === "RoleBinding") return { subjects: [{ kind: "User", name: "u" }] };
  if (kind === "ServiceAccount") return { secrets: [{ name: "extra" }] };
  return { spec: { added: true } };
}

function workloadPatch(random: Random): Value {
  const container = random.pick<Value>([
    { name: "main", image: "nginx:patched" },
    {
      name: "main",
      env: [
        { name: "A", value: "2" },
        { name: "C", value: "3" },
      ],
    },
    { name: "main", env: [{ name: "A", $patch: "delete" }] },
    { name: "main", resources: { limits: { memory: "1Gi" }, requests: null } },
    { name: "main", ports: [{ containerPort: 80, name: "web" }, { containerPort: 8080 }] },
    { name: "main", ports: [{ containerPort: 53, protocol: "UDP", name: "dns" }] },
    { name: "new", image: "x", ports: [{ containerPort: 1 }], resources: { a: null } },
    { name: "side", $patch: "delete" },
    { name: "main", args: ["c"], volumeMounts: [{ mountPath: "/v", readOnly: true }] },
    { name: "main", $patch: "replace", image: "r" },
  ]);
  const list = random.pick<unknown>([[container], [container], [container], [{ $patch: "replace" }, container], null]);
  return {
    ...(random.chance(0.5) ? { replicas: random.pick([3, 8, null]) } : {}),
    ...(random.chance(0.8) ? { template: { spec: { containers: list, ...podPatch(random) } } } : {}),
    ...(random.chance(0.1) ? { strategy: { type: "Recreate", rollingUpdate: null } } : {}),
  };
}

function podPatch(random: Random): Value {
  return random.pick<Value>([
    {},
    {},
    { volumes: [{ name: "v", emptyDir: null, hostPath: { path: "/x" } }] },
    { volumes: [{ name: "n", configMap: { name: "settings" } }] },
    { volumes: [{ $patch: "delete" }] },
    { tolerations: [{ key: "y" }] },
    { imagePullSecrets: [{ name: "other" }] },
    { nodeSelector: { disk: "ssd" } },
    { topologySpreadConstraints: [{ topologyKey: "zone", maxSkew: 2 }] },
  ]);
}
