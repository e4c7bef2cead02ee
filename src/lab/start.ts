import type { Rectify } from "../main.ts";
import type { Settings } from "../settings/settings.ts";
import type { SimulatedCluster } from "./cluster/cluster.ts";
import type { Forge } from "./forge/forge.ts";
import type { LabModel } from "./model/model.ts";

/** The embedded world while a scenario runs in it. */
export interface LabRun {
  readonly forge: Forge;
  readonly cluster: SimulatedCluster;
  readonly model: LabModel | undefined;
  readonly rectify: Rectify;
  readonly settings: Settings;
  /** Says what the people and the world of the scenario do. */
  say(who: string, text: string): void;
}

/** Everything around Rectify that cannot be real in the lab, running on loopback. */
export interface LabWorld {
  readonly forge: Forge;
  readonly cluster: SimulatedCluster;
  readonly model: LabModel | undefined;
  readonly settings: Settings;
  /** Tells the world where Rectify listens. */
  join(rectify: Pick<Rectify, "webhookPort" | "internalPort">): Promise<void>;
  close(): Promise<void>;
}

/** Repeats the look until it gives something; throws with `what` when the time is up, and how it stands then. */
export async function until<T>(
  what: string,
  look: () => T | undefined | false | Promise<T | undefined | false>,
  timeoutMs = 120_000,
  standing?: () => Promise<string>,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > end)
      throw new Error(`the lab waited in vain for ${what}${standing === undefined ? "" : `: ${await standing()}`}`);
    await new Promise((resume) => setTimeout(resume, 50));
  }
}
