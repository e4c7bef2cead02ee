import { globbed } from "./sets/glob.ts";
import { isKustomization } from "../repository/reader.ts";

/** What an Argo CD source takes from a directory without a kustomization. */
export interface PlainOptions {
  /** Undefined when nobody said. */
  readonly recurse: boolean | undefined;
  readonly include?: string | undefined;
  readonly exclude?: string | undefined;
}

/** Whether Argo CD takes a file from a directory, by its path below it. */
export function isArgoManifest(path: string, { include, exclude }: Omit<PlainOptions, "recurse">): boolean {
  if (!/\.(?:ya?ml|json|jsonnet)$/.test(path) || isKustomization(path)) return false;
  if (exclude !== undefined && exclude !== "" && globbed(exclude, true).test(path)) return false;
  return include === undefined || include === "" || globbed(include, true).test(path);
}

/** Argo CD passes over a file of a plain directory that says so. */
export const isPassedOver = (text: string): boolean => text.includes("+argocd:skip-file-rendering");

/**
 * Whether Argo CD may find objects in a file that it takes. It passes over YAML without any, like a file of values
 * beside the Application that names it. A file that is not there yet may hold anything.
 */
export function mayHoldObjects(path: string, bytes: Uint8Array | undefined): boolean {
  if (bytes === undefined) return true;
  const text = new TextDecoder("latin1").decode(bytes);
  if (isPassedOver(text)) return false;
  return !/\.ya?ml$/.test(path) || /kind["']?\s*:/.test(text);
}
