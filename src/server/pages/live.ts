import type { Store } from "../../adapters/postgres/store.ts";
import { guardrailsPath, type LoadedGuardrails } from "../../flow/collect/load-guardrails.ts";
import { showAutonomy } from "../../flow/jobs/autonomy.ts";
import type { RefreshedMemory } from "../jobs/memory-refresh.ts";
import type { Ports } from "../../ports/ports.ts";
import type { WatchtowerMode } from "../../ports/records.ts";
import type { Sources } from "../observability/source-health.ts";
import type { Links } from "./parts/links.ts";
import type { Live } from "./routes.ts";
import { isLiveClass } from "../../domain/backtest/switching.ts";
import type { ShadowView } from "./backtest/shadow.ts";
import type { ProposalsView } from "./system.ts";

/** What a running Rectify knows beside its records. */
interface Alive {
  readonly ports: Ports;
  readonly store: Store;
  readonly memory: RefreshedMemory;
  readonly watchtower: WatchtowerMode;
  readonly sources: Sources;
  readonly links: Links | undefined;
  /** Those that were read last; undefined before the first time. */
  readonly guardrails: () => LoadedGuardrails | undefined;
}

/** What the pages show beyond the records. */
export function liveViews(alive: Alive): Live {
  const { ports, store, memory, watchtower, sources, links } = alive;
  return {
    links: links ?? {},
    now: () => ports.clock.now(),
    autonomy: () => showAutonomy(ports),
    memory: async () => ({
      ...{ state: memory.state(), records: memory.records(), withdrawals: await store.withdrawals() },
    }),
    system: async () => ({
      ...{ watchtower: watchtower.state(), proposals: await proposalsUnder(alive), sources: sources.all() },
      ...{ unplaced: await store.unplaced(), shadow: await shadowOf(alive) },
    }),
  };
}

const shadowMs = 28 * 24 * 3_600_000;

async function shadowOf({ store, ports, guardrails }: Alive): Promise<ShadowView> {
  const since = new Date(ports.clock.now().getTime() - shadowMs);
  const records = await store.shadowVerdicts(since);
  const rules = guardrails();
  return {
    ...{ since: since.toISOString(), records, editor: ports.editorOf?.(guardrailsPath) },
    ...(rules?.ok === true ? { namespaces: rules.value.namespaces } : {}),
    isLive: (row) => rules?.ok === true && isLiveClass(rules.value, row),
  };
}

async function proposalsUnder({ ports, store, guardrails }: Alive): Promise<ProposalsView> {
  const known = guardrails();
  if (known === undefined) return { kind: "unknown", because: "the guardrails were not read since the start" };
  if (!known.ok) return { kind: "unknown", because: known.problems.join("; ") };
  const limits = { ...known.value, coolDownMs: ports.timings.coolDownMs };
  return { kind: "known", limits, ...(await store.queue.overview(limits, ports.clock.now())) };
}
