import type { Forge } from "../../src/lab/forge/forge.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { Processes } from "./processes.ts";

/** Where an engine runs. */
export interface EngineRoom {
  readonly plane: ControlPlane;
  readonly processes: Processes;
  /** A directory of the engine's own. */
  readonly scratch: string;
}

/** How Argo CD marks what is its own; by label, its Application stands in the namespace of a team. */
export type Tracking = "label";

/** The namespace of that team. */
export const teamNamespace = "platform";

/** A real GitOps controller that brings the forge's default branch onto the real API server. */
export interface GitOpsEngine {
  readonly name: "flux" | "argocd";
  /** Of everything real in it: program → version. */
  versions(): Readonly<Record<string, string>>;
  /** Installs its resource definitions (with those of kinds that the shop's manifests use) and starts its programs. */
  start(room: EngineRoom): Promise<void>;
  /**
   * Declares the shop: `Kustomization flux-system/shop` or `Application argocd/shop-production`, at
   * `manifests/shop/overlays/production` of this forge's `main`. Looks at the branch every second or so. Returns when
   * the newest commit is applied. Called again with another forge, it follows that one instead.
   */
  follow(forge: Forge, tracking?: Tracking): Promise<void>;
  /** Removes the entry and what it applied, so that another engine may begin. */
  forget(): Promise<void>;
  /** Ends its programs. */
  close(): Promise<void>;
}
