import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEmbeddedPostgres } from "../../src/adapters/postgres/server.ts";
import { scenarioOf } from "../../src/lab/scenarios/catalogue.ts";
import { until } from "../../src/lab/start.ts";
import { openWorld } from "../../src/lab/world.ts";
import { aDelivery, anAlert } from "../builders.ts";
import { type Measured, startApart } from "./apart.ts";
import { tablesOf } from "./replica-load.ts";
import { slopeOf } from "./slope.ts";

/**
 * Incident after incident for so long: `npm run -s bench:soak -- [--minutes N] [--every SECONDS]`. The live heap after a
 * forced collection (the lowest of those after each incident: what is still under way is no leak), handles, rows and
 * files each minute; the last line has their slopes an hour. The first fifth is warm-up and does not count.
 */
const option = (name: string, otherwise: number) => {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? otherwise : Number(process.argv[at + 1]);
};
const minutes = option("minutes", 30);
const everySeconds = option("every", 60);
// Longer, and the poll would find the alert and begin an incident of its own.
const restMs = 500;
// How fast an incident goes is measured elsewhere: this one may run beside other work.
const patienceMs = 3_600_000;
const directory = mkdtempSync(join(tmpdir(), "rectify-bench-soak-"));
const postgres = await startEmbeddedPostgres(join(directory, "postgres"));
const scenario = scenarioOf("scale");
if (!scenario) throw new Error("the scenario is gone");
const world = await openWorld(join(directory, "world"), scenario);
const settings = { ...world.settings, databaseUrl: postgres.url, dataDirectory: join(directory, "data") };
const rectify = await startApart(settings);

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

const samples: Sample[] = [];
let incidents = 0;
try {
  world.forge.setWebhookUrl(`http://127.0.0.1:${rectify.webhookPort}/webhooks/github`);
  await until("a quiet shop", () => world.cluster.isSynced(), 120_000);
  world.cluster.setLoad("web", 260);
  await until("a saturated shop", () => world.cluster.firing().length > 0, 120_000);
  const begun = performance.now();
  const end = begun + minutes * 60_000;
  let next = begun + everySeconds * 1_000;
  let lowest = Number.POSITIVE_INFINITY;
  while (performance.now() < end) {
    await incidentOf();
    await new Promise((resume) => setTimeout(resume, restMs));
    const measured = await rectify.measure();
    lowest = Math.min(lowest, measured.live);
    if (performance.now() < next) continue;
    next += everySeconds * 1_000;
    const sample = await sampleOf((performance.now() - begun) / 3_600_000, { ...measured, live: lowest });
    lowest = Number.POSITIVE_INFINITY;
    console.log(JSON.stringify(sample));
    samples.push(sample);
  }
  const counted = samples.slice(Math.ceil(samples.length / 5));
  const slope = (of: (sample: Sample) => number) => {
    const found = slopeOf(counted.map((sample) => [sample.hours, of(sample)]));
    return found && { perHour: Number(found.slope.toFixed(2)), upper: Number(found.upper.toFixed(2)) };
  };
  const [first, last] = [samples[0], samples.at(-1)];
  const perIncident = (of: (sample: Sample) => number) =>
    Math.round((first && last ? of(last) - of(first) : 0) / Math.max(1, incidents));
  console.log(
    JSON.stringify({
      ...{ minutes, incidents, samples: counted.length, lastLiveMb: last?.liveMb },
      liveMb: slope(({ liveMb }) => liveMb),
      handles: slope((sample) => sample.handles),
      ...{ rowsPerIncident: perIncident(({ rows }) => rows), bytesPerIncident: perIncident(({ bytes }) => bytes) },
      cpuMsPerIncident: perIncident(({ cpuS }) => cpuS * 1_000),
      files: slope((sample) => sample.files),
    }),
  );
} finally {
  await rectify.close();
  await world.close();
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}

/** One incident of the same saturated workload, from its alert to the rejection of its proposal. */
async function incidentOf(): Promise<void> {
  const { store, internalPort } = rectify;
  const [firing] = world.cluster.firing();
  if (!firing) throw new Error("the load is gone");
  const startsAt = new Date(Date.UTC(2026, 0, 1) + incidents * 60_000).toISOString();
  const alert = anAlert({
    fingerprint: `soak-${incidents}`,
    name: firing.name,
    labels: { ...firing.labels },
    startsAt,
  });
  const headers = { authorization: `Bearer ${settings.alerts.token}` };
  const pulls = world.forge.pulls().length;
  await fetch(`http://127.0.0.1:${internalPort}/alerts`, {
    method: "POST",
    headers,
    body: JSON.stringify(aDelivery([alert])),
  });
  await until("the pull request", () => world.forge.pulls().length > pulls, patienceMs);
  await world.forge.comment(pulls + 1, "sre-anna", "/reject");
  await until("the end", async () => (await store.incidents(1))[0]?.ending !== undefined, patienceMs);
  world.forge.resetCalls();
  incidents += 1;
}

async function sampleOf(hours: number, { live, rss, cpuS, handles }: Measured): Promise<Sample> {
  const { rows, bytes } = await tablesOf(postgres.url);
  const files = readdirSync(settings.dataDirectory, { recursive: true }).length;
  const mb = (bytes: number) => Number((bytes / 1e6).toFixed(2));
  return { hours, liveMb: mb(live), rssMb: mb(rss), cpuS, handles, rows, bytes, files };
}
