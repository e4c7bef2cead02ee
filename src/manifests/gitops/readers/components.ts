import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import { insideRepository } from "../../repository/reader.ts";

/**
 * The components that the spec of a Flux Kustomization or an Argo CD Application adds to what its paths build: rather
 * too many, where several sources of an Application have some.
 */
export function componentsAdded(spec: unknown, paths: readonly string[]): readonly string[] {
  if (!isRecord(spec)) return [];
  const sources = [spec.source, ...(Array.isArray(spec.sources) ? (spec.sources as unknown[]) : [])].filter(isRecord);
  const said = [spec, ...sources.map(({ kustomize }) => kustomize).filter(isRecord)].flatMap(({ components }) =>
    Array.isArray(components) ? (components as unknown[]) : [],
  );
  const relative = said.filter((one) => typeof one === "string");
  return paths.flatMap((path) => relative.flatMap((one) => insideRepository(path === "." ? "" : path, one) ?? []));
}
