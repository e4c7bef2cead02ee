import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { openStore } from "../../src/adapters/postgres/store.ts";
import { until } from "../../src/lab/start.ts";
import type { Rectify } from "../../src/main.ts";
import type { Settings } from "../../src/settings/settings.ts";
import { built } from "../built.ts";

/** What the process says of itself when it is asked: bytes, and open handles. */
export interface Measured {
  /** After a forced collection. */
  readonly live: number;
  readonly rss: number;
  /** The most it ever was. */
  readonly peakRss: number;
  readonly handles: number;
  /** Processor time since its start, in seconds. */
  readonly cpuS: number;
  /** How long the event loop was held up since Rectify was up: the worst hundredth, and the longest. */
  readonly pauseP99Ms: number;
  readonly pauseMaxMs: number;
}

interface Apart extends Rectify {
  measure(): Promise<Measured>;
}

const nothing: Measured = { live: 0, rss: 0, peakRss: 0, handles: 0, cpuS: 0, pauseP99Ms: 0, pauseMaxMs: 0 };

type Told = Partial<Measured & Pick<Rectify, "webhookPort" | "internalPort" | "pagesPort">>;

/** Rectify in a process of its own, so that what it takes is told apart from the lab; `databaseUrl` must be set. */
export async function startApart(settings: Settings): Promise<Apart> {
  await built();
  const told: Told[] = [];
  // Half of its pod's memory, as Node takes it there by itself: on a machine with more it would rather grow than collect.
  const flags = ["--expose-gc", "--max-old-space-size=512"];
  const child = spawn(process.execPath, [...flags, "test/bench/apart-child.mjs"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const gone = new Promise<void>((done) => child.once("exit", () => done()));
  createInterface({ input: child.stdout }).on("line", (text) => told.push(JSON.parse(text) as Told));
  child.stdin.on("error", () => undefined).end(JSON.stringify(settings));
  const { webhookPort = 0, internalPort = 0, pagesPort = 0 } = await until("Rectify", () => told[0], 120_000);
  const store = await openStore(settings.databaseUrl ?? "");
  return {
    ...{ webhookPort, internalPort, pagesPort, store, lost: new Promise<string>(() => undefined) },
    watchtower: () => {
      throw new Error("it is in the other process");
    },
    finished: async (uid) => void (await until("its end", async () => (await store.incident(uid))?.ending, 600_000)),
    measure: async () => {
      const before = told.length;
      child.kill("SIGUSR2");
      return { ...nothing, ...(await until("the heap", () => told[before], 60_000)) };
    },
    close: async () => {
      child.kill("SIGTERM");
      await gone;
      await store.close();
    },
  };
}
