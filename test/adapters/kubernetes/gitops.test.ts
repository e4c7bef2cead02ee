import { describe, expect, test } from "vitest";
import { appliedRevision, declaredIn, entryOf } from "../../../src/adapters/kubernetes/gitops.ts";
import type { ReadCustom } from "../../../src/adapters/kubernetes/custom.ts";

const [ours, older] = ["a".repeat(40), "b".repeat(40)];
const web = { kind: "Deployment", namespace: "shop", name: "web" };
const place = { cluster: "prod", isOurs: (url: string) => url.includes("acme/shop") };

/** A cluster that holds these objects, by `plural namespace/name`. */
function holding(objects: Readonly<Record<string, object>>, mayList = true): ReadCustom {
  return {
    one: async ({ plural }, { namespace, name }) => objects[`${plural} ${namespace}/${name}`],
    all: async ({ plural }) =>
      mayList
        ? Object.entries(objects).flatMap(([key, object]) => (key.startsWith(`${plural} `) ? [object] : []))
        : undefined,
  };
}

const application = (namespace: string, name: string, more: { spec?: object; status?: object } = {}) => ({
  metadata: { namespace, name },
  spec: {
    source: { repoURL: "https://github.com/acme/shop", path: "apps/web" },
    syncPolicy: { automated: {} },
    ...more.spec,
  },
  status: { resources: [{ group: "apps", ...web, status: "Synced" }], ...more.status },
});

const tracking = (name: string) => ({ "argocd.argoproj.io/tracking-id": `${name}:apps/Deployment:shop/web` });
const labelled = (name: string) => ({ "app.kubernetes.io/instance": name });

describe("the application that keeps a workload", () => {
  const read = holding({
    "applications argocd/web": application("argocd", "web"),
    "applications team-a/shop": application("team-a", "shop", { status: { resources: [] } }),
  });

  test.each([
    ["by the annotation", { annotations: tracking("web") }],
    ["by the label, which its list of resources confirms", { labels: labelled("web") }],
    ["by its list of resources alone, where the label has another name", { labels: { team: "a" } }],
  ])("is found %s", async (_, marks) => {
    expect(await entryOf(read, { ...web, ...marks }, place)).toMatchObject({
      ...{ tool: "argocd", path: "apps/web", object: "Application argocd/web", cluster: "prod" },
      repository: "https://github.com/acme/shop",
    });
  });

  test("that reads another repository is told so, and a chart is not", async () => {
    const from = (source: object) =>
      holding({ "applications argocd/web": application("argocd", "web", { spec: { source } }) });
    const marks = { annotations: tracking("web") };
    const other = { repoURL: "https://github.com/acme/team-b", path: "apps/web" };
    expect(await entryOf(from(other), { ...web, ...marks }, place)).toMatchObject({
      path: "apps/web",
      elsewhere: true,
    });
    const chart = { repoURL: "https://charts.example", chart: "web" };
    expect(await entryOf(from(chart), { ...web, ...marks }, place)).not.toHaveProperty("elsewhere");
    const own = { repoURL: "https://github.com/acme/shop", path: "apps/web" };
    expect(await entryOf(from(own), { ...web, ...marks }, place)).not.toHaveProperty("elsewhere");
  });

  test("is found in another namespace, by the annotation and by the label", async () => {
    const elsewhere = holding({ "applications team-a/web": application("team-a", "web") });
    for (const marks of [
      { annotations: tracking("team-a_web") },
      { labels: labelled("team-a_web") },
      { labels: labelled("web") },
    ]) {
      const entry = await entryOf(elsewhere, { ...web, ...marks }, place);
      expect(entry.object).toBe("Application team-a/web");
    }
  });

  test("is not the one of the same name that does not keep it", async () => {
    const foreign = holding({ "applications argocd/web": application("argocd", "web", { status: { resources: [] } }) });
    expect(await entryOf(foreign, { ...web, labels: labelled("web") }, place)).toMatchObject({ tool: "unknown" });
  });

  test("is nobody's guess where two keep it", async () => {
    const both = holding({
      "applications a/one": application("a", "one"),
      "applications a/two": application("a", "two"),
    });
    expect(await entryOf(both, web, place)).toMatchObject({ tool: "unknown" });
    expect(await entryOf(both, { ...web, labels: labelled("two") }, place)).toMatchObject({
      object: "Application a/two",
    });
  });

  test("is found by its mark where we may not list", async () => {
    const closed = holding({ "applications argocd/web": application("argocd", "web") }, false);
    expect(await entryOf(closed, { ...web, labels: labelled("web") }, place)).toMatchObject({ tool: "argocd" });
  });

  test("of several sources, the directory of our repository is the one to read", async () => {
    const sources = [
      { repoURL: "https://charts.example", chart: "web", targetRevision: "1.2.3" },
      { repoURL: "https://github.com/other/base", path: "base" },
      { repoURL: "https://github.com/acme/shop", path: "./envs/prod/" },
    ];
    const many = holding({
      "applications argocd/web": application("argocd", "web", { spec: { source: undefined, sources } }),
    });
    const entry = await entryOf(many, { ...web, annotations: tracking("web") }, place);
    expect(entry).toMatchObject({ path: "envs/prod", repository: "https://github.com/acme/shop" });
  });
});

describe("a chart that an Application installs is decided", () => {
  const chart = { repoURL: "https://charts.example", chart: "web" };
  const kept = (name: string) => ({ resources: [{ kind: "Application", namespace: "argocd", name }] });
  const installs = (more: object = {}, sources: object[] = [chart]) => ({
    ...{ metadata: { namespace: "argocd", name: "web", ...more }, spec: { sources } },
    status: { resources: [web] },
  });
  const parent = { spec: { source: { repoURL: "https://github.com/acme/apps", path: "apps" } }, status: kept("web") };
  const flux = {
    "kustomizations flux-system/apps": { spec: { path: "./apps", sourceRef: { kind: "GitRepository", name: "git" } } },
    "gitrepositories flux-system/git": { spec: { url: "https://github.com/acme/flux" } },
  };
  const byFlux = {
    "kustomize.toolkit.fluxcd.io/name": "apps",
    "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
  };
  test.each<[string, Record<string, object>, string | undefined]>([
    [
      "where its values are read from",
      {
        "applications argocd/web": installs({}, [chart, { repoURL: "https://github.com/acme/values", ref: "values" }]),
      },
      "https://github.com/acme/values",
    ],
    [
      "where an application declares it",
      { "applications argocd/web": installs(), "applications argocd/root": { metadata: { name: "root" }, ...parent } },
      "https://github.com/acme/apps",
    ],
    [
      "where Flux declares it",
      { "applications argocd/web": installs({ labels: byFlux }), ...flux },
      "https://github.com/acme/flux",
    ],
    ["nowhere that the cluster knows", { "applications argocd/web": installs() }, undefined],
    [
      "in no circle of applications",
      { "applications argocd/web": { ...installs(), status: { resources: [web, ...kept("web").resources] } } },
      undefined,
    ],
  ])("%s", async (_, objects, expected) => {
    const read = holding(objects);
    const entry = await entryOf(read, { ...web, annotations: tracking("web") }, place);
    expect(entry.path).toBeNull();
    expect(await declaredIn(read, entry, place.isOurs)).toBe(expected);
  });
});

test("the entry's spec carries no secret", async () => {
  const helm = { parameters: [{ name: "db.password", value: "hunter2-canary" }] };
  const argo = holding({
    "applications argocd/web": application("argocd", "web", { spec: { source: { path: "a", helm } } }),
  });
  const flux = holding({
    "kustomizations flux-system/apps": {
      spec: { path: "./apps", postBuild: { substitute: { DB_PASSWORD: "hunter2-canary" } } },
    },
  });
  const labels = { "kustomize.toolkit.fluxcd.io/name": "apps", "kustomize.toolkit.fluxcd.io/namespace": "flux-system" };
  const entries = [
    await entryOf(argo, { ...web, annotations: tracking("web") }, place),
    await entryOf(flux, { ...web, labels }, place),
  ];
  expect(entries.map((entry) => JSON.stringify(entry.spec))).toEqual([
    '{"source":{"path":"a","helm":{"parameters":[{"name":"db.password","value":"«masked»"}]}},"syncPolicy":{"automated":{}}}',
    '{"path":"./apps","postBuild":{"substitute":{"DB_PASSWORD":"«masked»"}}}',
  ]);
});

describe("what Argo CD applied", () => {
  const at = { object: "Application argocd/web", tool: "argocd", path: "apps/web", workload: web } as const;
  const inSync = { resources: [{ ...web, status: "Synced" }] };
  const drifted = { resources: [{ ...web, status: "OutOfSync" }] };
  const history = [{ revision: older }, { revision: ours }];
  test.each<[string, object, object]>([
    ["the whole is synced", { sync: { status: "Synced", revision: ours }, ...inSync }, { kind: "applied", sha: ours }],
    [
      "something else is out of sync: ours was compared with the commit and equals it",
      { sync: { status: "OutOfSync", revision: ours }, ...inSync, history: [{ revision: older }] },
      { kind: "applied", sha: ours },
    ],
    [
      "ours drifts: the last sync that succeeded counts, not what is compared with",
      { sync: { status: "OutOfSync", revision: ours }, ...drifted, history: [{ revision: older }] },
      { kind: "applied", sha: older },
    ],
    [
      "ours drifts after its commit was synced",
      { sync: { status: "OutOfSync", revision: ours }, ...drifted, history },
      { kind: "applied", sha: ours },
    ],
    ["nothing was synced yet", { sync: { status: "OutOfSync", revision: ours }, ...drifted }, { kind: "unknown" }],
  ])("%s", async (_, status, expected) => {
    const read = holding({ "applications argocd/web": application("argocd", "web", { status }) });
    expect(await appliedRevision(read, at)).toMatchObject(expected);
  });

  test("of several sources the revision of ours counts", async () => {
    const sources = [
      { repoURL: "https://charts.example", chart: "web" },
      { repoURL: "https://github.com/acme/shop", path: "apps/web" },
    ];
    const status = { sync: { status: "Synced", revisions: ["1.2.3", ours] }, ...inSync };
    const read = holding({
      "applications argocd/web": application("argocd", "web", { spec: { source: undefined, sources }, status }),
    });
    const entry = { ...at, repository: "https://github.com/acme/shop" };
    expect(await appliedRevision(read, entry)).toMatchObject({ kind: "applied", sha: ours });
  });

  test.each<[string, object, object, string]>([
    [
      "a sync that failed",
      {},
      { operationState: { phase: "Failed", message: "one or more objects failed to apply" } },
      "Failed: one or more objects failed to apply",
    ],
    [
      "an error of the comparison",
      {},
      { conditions: [{ type: "ComparisonError", message: "app path does not exist" }] },
      "ComparisonError: app path does not exist",
    ],
    ["a sync that waits for a person", { syncPolicy: undefined }, {}, "it syncs by hand"],
  ])("%s is told in its own words", async (_, spec, more, words) => {
    const status = {
      sync: { status: "OutOfSync", revision: ours },
      ...drifted,
      history: [{ revision: older }],
      ...more,
    };
    const read = holding({ "applications argocd/web": application("argocd", "web", { spec, status }) });
    expect(await appliedRevision(read, at)).toMatchObject({ because: expect.stringContaining(words) });
  });
});

const ofFlux = { "kustomize.toolkit.fluxcd.io/name": "shop", "kustomize.toolkit.fluxcd.io/namespace": "flux-system" };
const kustomization = (status: object, spec: object = {}) => ({
  metadata: { namespace: "flux-system", name: "shop" },
  spec: { path: "./apps", sourceRef: { kind: "GitRepository", name: "shop" }, ...spec },
  status,
});
const ready = (status: string, reason = "", message = "") => ({
  conditions: [{ type: "Ready", status, reason, message }],
});
const fluxEntryAt = { tool: "flux", path: "apps", object: "Kustomization flux-system/shop" } as const;

describe("what Flux applied", () => {
  test.each<[string, object, object]>([
    ["a commit", { lastAppliedRevision: `main@sha1:${ours}` }, { kind: "applied", sha: ours }],
    ["a commit, as older versions write it", { lastAppliedRevision: `main/${ours}` }, { kind: "applied", sha: ours }],
    [
      "an OCI artifact that says what it was made of",
      { lastAppliedRevision: `latest@sha256:${"c".repeat(64)}`, lastAppliedOriginRevision: `main@sha1:${ours}` },
      { kind: "applied", sha: ours },
    ],
    [
      "an OCI artifact that does not",
      { lastAppliedRevision: `latest@sha256:${"c".repeat(64)}` },
      { kind: "unknown", because: expect.stringContaining("--revision") },
    ],
    [
      "waiting for what it depends on, in its own words",
      {
        lastAppliedRevision: `main@sha1:${older}`,
        ...ready("False", "DependencyNotReady", "dependency 'flux-system/infra' is not ready"),
      },
      { kind: "applied", sha: older, because: expect.stringContaining("dependency 'flux-system/infra' is not ready") },
    ],
    [
      "nothing yet",
      ready("False", "BuildFailed", "no such file"),
      { kind: "unknown", because: expect.stringContaining("BuildFailed: no such file") },
    ],
  ])("%s", async (_, status, expected) => {
    const read = holding({ "kustomizations flux-system/shop": kustomization(status) });
    expect(await appliedRevision(read, fluxEntryAt)).toMatchObject(expected);
  });

  test("suspended", async () => {
    const status = { lastAppliedRevision: `main@sha1:${older}` };
    const read = holding({ "kustomizations flux-system/shop": kustomization(status, { suspend: true }) });
    expect(await appliedRevision(read, fluxEntryAt)).toMatchObject({
      sha: older,
      because: expect.stringContaining("is suspended"),
    });
  });

  test("the address of the source goes along, and no path is the root", async () => {
    const read = holding({
      "kustomizations flux-system/shop": kustomization({}, { path: undefined }),
      "gitrepositories flux-system/shop": { spec: { url: "https://github.com/acme/shop" } },
    });
    expect(await entryOf(read, { ...web, labels: ofFlux }, place)).toMatchObject({
      ...{ tool: "flux", path: ".", repository: "https://github.com/acme/shop" },
    });
  });
});

describe("a workload of a HelmRelease", () => {
  const ofHelm = { "helm.toolkit.fluxcd.io/name": "web", "helm.toolkit.fluxcd.io/namespace": "shop" };
  const release = (spec: object, status: object) => ({
    metadata: { namespace: "shop", name: "web", generation: 3, labels: ofFlux },
    spec: { chart: { spec: { sourceRef: { kind: "HelmRepository" } } }, ...spec },
    status: { observedGeneration: 3, ...ready("True"), ...status },
  });
  const world = (spec: object, status: object, chart: object = {}) =>
    holding({
      "helmreleases shop/web": release(spec, status),
      "kustomizations flux-system/shop": kustomization({ lastAppliedRevision: `main@sha1:${ours}` }),
      "helmcharts flux-system/shop-web": { status: chart },
    });
  const fromGit = { chart: { spec: { sourceRef: { kind: "GitRepository" } } } };
  const attempted = { helmChart: "flux-system/shop-web", lastAttemptedRevision: "0.1.0+3" };

  test.each<[string, ReadCustom, object]>([
    ["that took the commit in", world({}, {}), { kind: "applied", sha: ours }],
    [
      "that has not seen its newest spec",
      world({}, { observedGeneration: 2 }),
      { kind: "unknown", because: expect.stringContaining("newest spec") },
    ],
    [
      "that is suspended",
      world({ suspend: true }, {}),
      { kind: "unknown", because: expect.stringContaining("suspended") },
    ],
    [
      "that failed, in its own words",
      world({}, ready("False", "UpgradeFailed", "timed out waiting for the condition")),
      { kind: "unknown", because: expect.stringContaining("UpgradeFailed: timed out waiting") },
    ],
    [
      "whose chart is of an older commit",
      world(fromGit, attempted, {
        observedSourceArtifactRevision: `main@sha1:${older}`,
        artifact: { revision: "0.1.0+3" },
      }),
      { kind: "applied", sha: ours, chartSha: older },
    ],
    [
      "that has not installed the newest chart",
      world(fromGit, attempted, {
        observedSourceArtifactRevision: `main@sha1:${ours}`,
        artifact: { revision: "0.1.0+4" },
      }),
      { kind: "unknown", because: expect.stringContaining("newest chart") },
    ],
  ])("%s", async (_, read, expected) => {
    const entry = await entryOf(read, { ...web, labels: ofHelm }, place);
    expect(entry).toMatchObject({
      tool: "flux",
      object: "Kustomization flux-system/shop",
      release: "HelmRelease shop/web",
    });
    expect(await appliedRevision(read, entry)).toMatchObject(expected);
  });
});
