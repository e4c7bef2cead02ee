import type { Store } from "./adapters/store.ts";
import type { LoadedGuardrails } from "./flow/load-guardrails.ts";
import { showAutonomy } from "./flow/show-autonomy.ts";
import type { KeptMemory } from "./keep-memory.ts";
import type { Ports, WatchtowerDesk } from "./ports.ts";
import type { Sources } from "./sources.ts";
import type { Live } from "./web/pages.ts";
import type { ProposalsView } from "./web/system.ts";

/** What a running Rectify knows beside its records. */
export interface Alive {
  readonly ports: Ports;
  readonly store: Store;
  readonly memory: KeptMemory;
  readonly watchtower: WatchtowerDesk;
  readonly sources: Sources;
  /** Those that were read last; undefined before the first time. */
  readonly guardrails: () => LoadedGuardrails | undefined;
}

/** What the pages show beyond the records. */
export function liveViews(alive: Alive): Live {
  const { ports, store, memory, watchtower, sources } = alive;
  return {
    autonomy: () => showAutonomy(ports),
    memory: async () => ({
      ...{ state: memory.state(), records: memory.records(), withdrawals: await store.withdrawals() },
    }),
    system: async () => ({
      ...{ watchtower: watchtower.state(), proposals: await proposalsUnder(alive), sources: sources.all() },
    }),
  };
}

async function proposalsUnder({ ports, store, guardrails }: Alive): Promise<ProposalsView> {
  const known = guardrails();
  if (known === undefined) return { kind: "unknown", because: "the guardrails were not read since the start" };
  if (!known.ok) return { kind: "unknown", because: known.problems.join("; ") };
  const limits = { ...known.value, coolDownMs: ports.tempo.coolDownMs };
  return { kind: "known", limits, ...(await store.queue.overview(limits, ports.clock.now())) };
}
