import { z } from "zod";
import type { ChartArtifact } from "../../ports/kubernetes.ts";
import { Refused } from "../../ports/errors.ts";
import type { At, CustomType, ReadOne } from "./custom.ts";

const releases: CustomType = { group: "helm.toolkit.fluxcd.io", version: "v2", plural: "helmreleases" };
const source = { group: "source.toolkit.fluxcd.io", version: "v1" };
const holders: Readonly<Record<string, CustomType>> = {
  HelmChart: { ...source, plural: "helmcharts" },
  OCIRepository: { ...source, plural: "ocirepositories" },
};

const Release = z.object({
  spec: z.object({
    chartRef: z.object({ kind: z.string(), name: z.string(), namespace: z.string().optional() }).optional(),
  }),
  status: z.object({ helmChart: z.string().optional() }).optional(),
});

const Holder = z.object({
  status: z
    .object({ artifact: z.object({ url: z.string(), digest: z.string().optional(), revision: z.string() }).optional() })
    .optional(),
});

/** The archive that Flux installs for a HelmRelease, of the HelmChart or the OCIRepository that it refers to. */
export async function chartArtifact(read: ReadOne, at: At): Promise<ChartArtifact | undefined> {
  const release = Release.safeParse(await read(releases, at)).data;
  const place = release && holderOf(release, at);
  if (place === undefined) return undefined;
  const artifact = Holder.safeParse(await read(place.type, place.at)).data?.status?.artifact;
  if (artifact === undefined) return undefined;
  const { url, revision, digest } = artifact;
  if (digest === undefined || !/^sha256:[0-9a-f]{64}$/.test(digest))
    throw new Refused(`${place.type.plural} ${place.at.namespace}/${place.at.name} names no SHA-256 of its archive`);
  return { url, revision, digest };
}

function holderOf({ spec, status }: z.infer<typeof Release>, release: At) {
  const { chartRef } = spec;
  const [namespace = "", name = ""] = status?.helmChart?.split("/") ?? [];
  const type = holders[chartRef?.kind ?? "HelmChart"];
  const at = chartRef
    ? { namespace: chartRef.namespace ?? release.namespace, name: chartRef.name }
    : { namespace, name };
  return type === undefined || at.name === "" ? undefined : { type, at };
}

const Service = z.object({
  spec: z.object({
    type: z.string().optional(),
    selector: z.record(z.string(), z.string()).default({}),
    ports: z.array(z.object({ name: z.string().optional(), port: z.number() })).default([]),
  }),
});

/** The port of a Service whose pods are Flux's source-controller; undefined for every other. */
export function sourcePortOf(service: unknown): number | undefined {
  const spec = Service.safeParse(service).data?.spec;
  // An ExternalName leads to a host of anybody.
  if (spec?.selector.app !== "source-controller" || spec.type === "ExternalName") return undefined;
  return (spec.ports.find(({ name }) => name === "http") ?? spec.ports[0])?.port;
}
