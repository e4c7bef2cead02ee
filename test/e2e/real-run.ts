import type { Forge } from "../../src/lab/forge/forge.ts";
import type { LabPrinter } from "../../src/lab/printer.ts";
import type { Settings } from "../../src/settings/settings.ts";
import type { ModelDoor } from "../crash/every-state.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { RestartedPostgres } from "../restarted-postgres.ts";
import type { GitOpsEngine } from "./engine.ts";
import type { RealRectify } from "./rectify.ts";
import type { Shop } from "./shop.ts";
import type { Telemetry } from "./telemetry.ts";

/** What is real and runs as long as there are scenarios. */
export interface RealWorld {
  readonly scratch: string;
  readonly plane: ControlPlane;
  readonly shop: Shop;
  readonly telemetry: Telemetry;
  /** The Kyverno CLI. */
  readonly kyverno: string;
}

/** The real world while one scenario runs in it. */
export interface RealRun extends RealWorld {
  readonly engine: GitOpsEngine;
  readonly forge: Forge;
  readonly rectify: RealRectify;
  readonly settings: Settings;
  /** Where the scenario has a database of its own. */
  readonly database: RestartedPostgres | undefined;
  /** What questions to the model come through. */
  readonly model: ModelDoor;
  /** Starts the next process on the same database, and ends the one before once the next one listens, after `meanwhile`. */
  upgrade(meanwhile?: () => void): Promise<void>;
  /** What Rectify told so far. */
  readonly told: LabPrinter["told"];
  /** The file from which Rectify reads the token of its ServiceAccount. */
  readonly tokenPath: string;
  say(who: string, text: string): void;
}

export const rectifyAccount = { namespace: "rectify", name: "rectify" } as const;
