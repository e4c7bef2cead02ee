import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { scenarioOf } from "../../src/lab/scenarios/catalogue.ts";
import { until } from "../../src/lab/start.ts";
import { openWorld } from "../../src/lab/world.ts";
import { aDelivery, anAlert } from "../builders.ts";
import { type Measured, startApart } from "./apart.ts";
import { tablesOf } from "./replica-load.ts";
import { slopeOf } from "./slope.ts";

/** One moment: the live heap is the lowest since the one before, because what is still under way is no leak. */
interface Sample {
  readonly hours: number;
  readonly liveMb: number;
  readonly rssMb: number;
  readonly handles: number;
  readonly rows: number;
  readonly bytes: number;
  readonly cpuS: number;
  readonly files: number;
}

interface SoakLoad {
  readonly url: string;
  /** Whether it goes on, after so many incidents and milliseconds. */
  readonly goesOn: (incidents: number, sinceMs: number) => boolean;
  readonly everyMs: number;
  readonly sampled?: (sample: Sample) => void;
}

interface Growth {
  readonly perHour: number;
  readonly upper: number;
}

interface SoakResult {
  readonly incidents: number;
  readonly endings: Readonly<Record<string, number>>;
  /** Without the first fifth, which is warm-up. */
  readonly samples: number;
  readonly lastLiveMb: number | undefined;
  readonly liveMb: Growth | undefined;
  readonly handles: Growth | undefined;
  readonly rowsPerIncident: number;
  readonly bytesPerIncident: number;
  readonly cpuMsPerIncident: number;
  readonly files: Growth | undefined;
}

// Longer, and the poll would find the alert and begin an incident of its own.
const restMs = 500;
// How fast an incident goes is measured elsewhere: this one may run beside other work.
const patienceMs = 3_600_000;

/** Incident after incident of the same saturated workload, each from its alert to the rejection of its proposal. */
export async function soakLoad({ url, goesOn, everyMs, sampled }: SoakLoad): Promise<SoakResult> {
  const soaked = await openSoaked(url);
  const samples: Sample[] = [];
  const endings: string[] = [];
  try {
    await soaked.saturate();
    const begun = performance.now();
    let next = begun + everyMs;
    let lowest = Number.POSITIVE_INFINITY;
    while (goesOn(endings.length, performance.now() - begun)) {
      endings.push(await soaked.incident(endings.length));
      await new Promise((resume) => setTimeout(resume, restMs));
      const measured = await soaked.measure();
      lowest = Math.min(lowest, measured.live);
      if (performance.now() < next) continue;
      next += everyMs;
      const sample = await soaked.sample(performance.now() - begun, { ...measured, live: lowest });
      lowest = Number.POSITIVE_INFINITY;
      sampled?.(sample);
      samples.push(sample);
    }
    return summaryOf(samples, endings);
  } finally {
    await soaked.close();
  }
}

/** The lab's world and a Rectify in a process of its own. */
async function openSoaked(url: string) {
  const directory = mkdtempSync(join(tmpdir(), "rectify-bench-soak-"));
  const scenario = scenarioOf("scale");
  if (!scenario) throw new Error("the scenario is gone");
  const world = await openWorld(join(directory, "world"), scenario);
  const settings = { ...world.settings, databaseUrl: url, dataDirectory: join(directory, "data") };
  const rectify = await startApart(settings);
  const { forge, cluster } = world;
  return {
    measure: rectify.measure,
    saturate: async () => {
      forge.setWebhookUrl(`http://127.0.0.1:${rectify.webhookPort}/webhooks/github`);
      await until("a quiet shop", () => cluster.isSynced(), 120_000);
      cluster.setLoad("web", 260);
      await until("a saturated shop", () => cluster.firing().length > 0, 120_000);
    },
    /** One incident; the answer is how it ended. */
    incident: async (number: number) => {
      const [firing] = cluster.firing();
      if (!firing) throw new Error("the load is gone");
      const startsAt = new Date(Date.UTC(2026, 0, 1) + number * 60_000).toISOString();
      const labels = { ...firing.labels };
      const alert = anAlert({ fingerprint: `soak-${number}`, name: firing.name, labels, startsAt });
      const body = JSON.stringify(aDelivery([alert]));
      const headers = { authorization: `Bearer ${settings.alerts.token}` };
      const pulls = forge.pulls().length;
      await fetch(`http://127.0.0.1:${rectify.internalPort}/alerts`, { method: "POST", headers, body });
      await until("the pull request", () => forge.pulls().length > pulls, patienceMs);
      await forge.comment(pulls + 1, "sre-anna", "/reject");
      const ending = await until("the end", async () => (await rectify.store.incidents(1))[0]?.ending, patienceMs);
      forge.resetCalls();
      return ending;
    },
    sample: async (sinceMs: number, { live, rss, cpuS, handles }: Measured): Promise<Sample> => {
      const { rows, bytes } = await tablesOf(url);
      const files = readdirSync(settings.dataDirectory, { recursive: true }).length;
      const mb = (count: number) => Number((count / 1e6).toFixed(2));
      return { hours: sinceMs / 3_600_000, liveMb: mb(live), rssMb: mb(rss), cpuS, handles, rows, bytes, files };
    },
    close: async () => {
      await rectify.close();
      await world.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function summaryOf(samples: readonly Sample[], endings: readonly string[]): SoakResult {
  const counted = samples.slice(Math.ceil(samples.length / 5));
  const growth = (of: (sample: Sample) => number): Growth | undefined => {
    const found = slopeOf(counted.map((sample) => [sample.hours, of(sample)]));
    return found && { perHour: Number(found.slope.toFixed(2)), upper: Number(found.upper.toFixed(2)) };
  };
  const [first, last] = [samples[0], samples.at(-1)];
  const perIncident = (of: (sample: Sample) => number) =>
    Math.round((first && last ? of(last) - of(first) : 0) / Math.max(1, endings.length));
  const kinds = [...new Set(endings)].map((kind) => [kind, endings.filter((one) => one === kind).length]);
  return {
    ...{ incidents: endings.length, endings: Object.fromEntries(kinds) },
    ...{ samples: counted.length, lastLiveMb: last?.liveMb },
    liveMb: growth(({ liveMb }) => liveMb),
    handles: growth(({ handles }) => handles),
    ...{ rowsPerIncident: perIncident(({ rows }) => rows), bytesPerIncident: perIncident(({ bytes }) => bytes) },
    cpuMsPerIncident: perIncident(({ cpuS }) => cpuS * 1_000),
    files: growth(({ files }) => files),
  };
}
