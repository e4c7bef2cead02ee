import { expect, test } from "vitest";
import { chartArtifact, sourcePortOf } from "../../../src/adapters/kubernetes/flux-artifact.ts";
import type { ReadOne } from "../../../src/adapters/kubernetes/custom.ts";

const at = { namespace: "shop", name: "web" };
const digest = `sha256:${"a".repeat(64)}`;
const artifact = { url: "http://source-controller.flux-system.svc/x.tgz", digest, revision: "1.2.3", size: 9 };

/** Objects by `plural namespace/name`. */
const cluster =
  (objects: Readonly<Record<string, unknown>>): ReadOne =>
  async ({ plural }, { namespace, name }) =>
    objects[`${plural} ${namespace}/${name}`];

test("the archive is that of the HelmChart which Flux made for the release", async () => {
  const read = cluster({
    "helmreleases shop/web": { spec: { chart: {} }, status: { helmChart: "flux-system/shop-web" } },
    "helmcharts flux-system/shop-web": { status: { artifact } },
  });
  expect(await chartArtifact(read, at)).toEqual({ url: artifact.url, digest, revision: "1.2.3" });
});

test.each([
  ["OCIRepository", "ocirepositories shop/charts", undefined],
  ["OCIRepository", "ocirepositories sources/charts", "sources"],
  ["HelmChart", "helmcharts shop/charts", undefined],
])("or that of the %s that it refers to: %s", async (kind, place, namespace) => {
  const chartRef = { kind, name: "charts", ...(namespace === undefined ? {} : { namespace }) };
  const read = cluster({ "helmreleases shop/web": { spec: { chartRef } }, [place]: { status: { artifact } } });
  expect(await chartArtifact(read, at)).toMatchObject({ digest });
});

test("what names no archive has none", async () => {
  const release = { spec: { chart: {} }, status: { helmChart: "shop/web" } };
  expect(await chartArtifact(cluster({}), at)).toBeUndefined();
  expect(await chartArtifact(cluster({ "helmreleases shop/web": { spec: { chart: {} } } }), at)).toBeUndefined();
  expect(
    await chartArtifact(cluster({ "helmreleases shop/web": release, "helmcharts shop/web": {} }), at),
  ).toBeUndefined();
  const odd = { spec: { chartRef: { kind: "Secret", name: "x" } } };
  expect(
    await chartArtifact(cluster({ "helmreleases shop/web": odd, "secrets shop/x": { status: { artifact } } }), at),
  ).toBeUndefined();
});

test("without a SHA-256 nothing says which archive is meant", async () => {
  const release = { spec: {}, status: { helmChart: "shop/web" } };
  for (const wrong of [undefined, "sha512:aa", "sha256:short"]) {
    const chart = { status: { artifact: { ...artifact, digest: wrong } } };
    const read = cluster({ "helmreleases shop/web": release, "helmcharts shop/web": chart });
    await expect(chartArtifact(read, at)).rejects.toThrow("names no SHA-256 of its archive");
  }
});

test("only a Service before the source-controller's pods has a port", () => {
  const ports = [
    { name: "metrics", port: 8080 },
    { name: "http", port: 80 },
  ];
  expect(sourcePortOf({ spec: { selector: { app: "source-controller" }, ports } })).toBe(80);
  expect(sourcePortOf({ spec: { selector: { app: "web" }, ports } })).toBeUndefined();
  const selector = { app: "source-controller" };
  expect(
    sourcePortOf({ spec: { type: "ExternalName", externalName: "evil.example", selector, ports } }),
  ).toBeUndefined();
  expect(sourcePortOf(undefined)).toBeUndefined();
});
