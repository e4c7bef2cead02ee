import { readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { findKyverno, type KyvernoOptions } from "../src/adapters/cli-tools/kyverno.ts";
import type { RenderedObject } from "../src/domain/kubernetes/rendered.ts";

/** The project's own policies, as the gate reads them from the base commit. */
export function ourPolicies(): { path: string; content: string }[] {
  const directory = join(import.meta.dirname, "../policies");
  return readdirSync(directory)
    .filter((name) => name.endsWith(".yaml"))
    .map((name) => ({ path: `policies/${name}`, content: readFileSync(join(directory, name), "utf8") }));
}

/** Where `npm run tools:kyverno` puts the CLI. */
export const kyvernoOptions: KyvernoOptions = {
  path: process.env.KYVERNO,
  toolsDirectory:
    process.env.RECTIFY_TOOLS ?? join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "rectify/tools"),
  searchPath: process.env.PATH ?? "",
  timeoutMs: 60_000,
};

/** The real CLI, or why the tests that need it are skipped. CI sets RECTIFY_NEEDS_KYVERNO: there its absence is a failure. */
export async function realKyverno() {
  const found = await findKyverno(kyvernoOptions);
  if (found.kind === "absent" && process.env.RECTIFY_NEEDS_KYVERNO === "1") throw new Error(found.because);
  return found;
}

/** A sane Deployment of the shop, unless told otherwise. */
export function aDeployment(name: string, spec: object = {}, metadata: object = {}): RenderedObject {
  const resources = { requests: { cpu: "250m", memory: "192Mi" }, limits: { memory: "256Mi" } };
  const containers = [{ name, image: `ghcr.io/rectify-lab/shop-${name}:1.0.0`, resources }];
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name, namespace: "shop-production", ...metadata },
    spec: {
      replicas: 2,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { containers } },
      ...spec,
    },
  };
}
