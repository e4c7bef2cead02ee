import { fileURLToPath } from "node:url";
import { openStore, type Store } from "../../../adapters/postgres/store.ts";
import { dashboardNameOf } from "../../../domain/proposal/dashboard.ts";
import type { Rectify } from "../../../main.ts";
import type { Telemetry } from "../../../ports/runtime.ts";
import { openFaults } from "../../../server/observability/faults.ts";
import { serveSeveral } from "../../../server/several/serve.ts";
import { nameOf } from "../../../settings/repository.ts";
import type { Settings } from "../../../settings/settings.ts";
import type { Forge } from "../../forge/forge.ts";
import { owner, repo } from "../../repository.ts";
import { approve, comment, passCi, peak, pullOpened, rush, type Scenario } from "../../scenario.ts";
import { type LabRun, type LabWorld, until } from "../../start.ts";
import { openWorld } from "../../world.ts";
import { bank, banker, openBank } from "./bank.ts";
import { openGateway } from "./gateway.ts";

const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
const program = fileURLToPath(new URL(`../../../cli.${extension}`, import.meta.url));
const shop = { owner, repo };

/** What the scenario knows of the second repository. */
interface Second {
  readonly forge: Forge;
  store?: Store;
  pid?: () => number | undefined;
}

async function openBoth(directory: string, scenario: Scenario, opened: (second: Second) => void): Promise<LabWorld> {
  const gateway = await openGateway();
  const github = { origin: gateway.origin, firstId: 1_000 };
  let second: Forge | undefined;
  const world = await openWorld(directory, { ...scenario, world: { ...scenario.world, github } }, async (first) => {
    gateway.add(first.forge, nameOf(shop));
    const { forge, source } = await openBank(directory, gateway.origin, first);
    gateway.add(forge, nameOf(bank));
    second = forge;
    opened({ forge });
    return [source];
  });
  return {
    ...world,
    settings: { ...world.settings, repositories: [shop, bank] },
    join: async (rectify) => {
      await world.join(rectify);
      second?.setWebhookUrl(`http://127.0.0.1:${rectify.webhookPort}/webhooks/github`);
    },
    close: async () => {
      await second?.close();
      await world.close();
      await gateway.close();
    },
  };
}

/** The processes of both repositories behind one address; its records are those of the first. */
async function startBoth(settings: Settings, telemetry: Telemetry, second: Second | undefined): Promise<Rectify> {
  const { repositories = [] } = settings;
  const faults = openFaults(telemetry);
  const several = await serveSeveral({ settings, repositories, telemetry, faults, program });
  const [store, other] = await Promise.all(
    [shop, bank].map((one) => openStore(several.databases.get(nameOf(one)) ?? "")),
  );
  if (store === undefined || other === undefined || second === undefined) throw new Error("there are no two records");
  second.store = other;
  second.pid = () => several.pidOf(nameOf(bank));
  return {
    ...{ ...several, store, lost: new Promise<string>(() => undefined) },
    watchtower: () => {
      throw new Error("each repository has its own mode");
    },
    finished: async (uid) => void (await until("its end", async () => (await store.incident(uid))?.ending)),
    close: async () => {
      await Promise.all([store.close(), other.close()]);
      await several.close();
    },
  };
}

async function steps(run: LabRun, { forge, store, pid }: Second): Promise<void> {
  if (store === undefined || pid === undefined) throw new Error("the second repository has no records");
  const bankers = { forge, say: run.say };
  await rush(run);
  run.say("customers", `${peak} requests a second to the ledger`);
  run.cluster.setLoad("ledger", peak);
  const [ours, theirs] = await Promise.all([pullOpened(run), pullOpened(bankers)]);
  await passCi(run, ours);
  await passCi(bankers, theirs);
  await crash(run, pid);
  await approve(bankers, theirs);
  await comment(bankers, theirs, { by: banker, body: "/approve" });
  await until("the merge in the bank", () => forge.pulls()[0]?.merged);
  const recovered = async () => (await store.incidents(10)).some(({ ending }) => ending === "recovered");
  await until("the recovery in the bank", recovered);
  // The numbers of both may be the same: an approval in one repository is none in the other.
  if (run.forge.pulls()[0]?.merged === true) throw new Error("the approval in the bank merged in the shop as well");
  await approve(run, ours);
  await until("the merge in the shop", () => run.forge.pulls()[0]?.merged);
  for (const one of [run.forge, forge]) await dashboardIn(one, run.settings.cluster);
  await apart(run, { forge, store });
  await shown(run);
}

/** The process of the bank dies; that of the shop goes on, and the bank's incident with the next one. */
async function crash({ say }: LabRun, pid: () => number | undefined): Promise<void> {
  const before = pid();
  if (before === undefined) throw new Error("the bank has no process");
  say("lab", "kills the process of the bank");
  process.kill(before, "SIGKILL");
  await until("the next process of the bank", () => pid() !== undefined && pid() !== before);
}

async function dashboardIn(forge: Forge, cluster: string): Promise<void> {
  const { title } = dashboardNameOf(cluster);
  const found = () => forge.issues().filter((issue) => issue.title === title);
  await until(`the dashboard in ${forge.cloneUrl}`, () => found().length > 0);
  if (found().length > 1) throw new Error(`there are ${found().length} issues "${title}"`);
}

/** Neither records nor tokens of one are used for the other. */
async function apart(
  { forge: first, rectify }: LabRun,
  { forge, store }: { forge: Forge; store: Store },
): Promise<void> {
  const told = async (records: Store) => JSON.stringify([await records.incidents(100), await records.auditRows()]);
  const [shops, banks] = await Promise.all([told(rectify.store), told(store)]);
  if (/ledger|rectify-bank|ops-eve/.test(shops)) throw new Error("the shop's records tell of the bank");
  if (/shop-production|rectify-lab|"web"/.test(banks)) throw new Error("the bank's records tell of the shop");
  for (const one of [first, forge]) {
    const refused = one.calls.find(
      ({ status, path }) => status === 401 || (status === 404 && path.endsWith("/installation")),
    );
    if (refused !== undefined) throw new Error(`${refused.method} ${refused.path} carried another one's token`);
    if (one.pulls().length !== 1) throw new Error(`there are ${one.pulls().length} pull requests in ${one.cloneUrl}`);
  }
}

/** One address for the pages and the metrics of both. */
async function shown({ rectify }: LabRun): Promise<void> {
  const page = async (port: number, path: string) => (await fetch(`http://127.0.0.1:${port}${path}`)).text();
  const list = await page(rectify.pagesPort, "/system");
  for (const one of [shop, bank]) {
    const place = `/repositories/${nameOf(one)}/`;
    if (!list.includes(`href="${place}"`)) throw new Error(`/system does not name ${nameOf(one)}`);
    const incidents = await page(rectify.pagesPort, place);
    const [own, foreign] = one === shop ? ["web", "ledger"] : ["ledger", "web"];
    if (!incidents.includes(own) || incidents.includes(`/${foreign}`)) throw new Error(`${place} shows the wrong ones`);
    if (!incidents.includes(`href="${place}system"`)) throw new Error(`${place} leads out of its repository`);
  }
  const metrics = await page(rectify.internalPort, "/metrics");
  for (const one of [shop, bank]) {
    if (!metrics.includes(`repository="${nameOf(one)}"`)) throw new Error(`no metric is of ${nameOf(one)}`);
  }
}

/** One installation, two repositories of two teams, one cluster. */
export function twoRepositories(): Scenario {
  let second: Second | undefined;
  return {
    about: "one Rectify serves two repositories: each alert ends in the repository that its workload is read from",
    opens: {
      world: (directory, scenario) =>
        openBoth(directory, scenario, (opened) => {
          second = opened;
        }),
      rectify: (settings, telemetry) => startBoth(settings, telemetry, second),
    },
    run: async (run) => {
      if (second === undefined) throw new Error("there is no second repository");
      await steps(run, second);
    },
    expected: { ending: "recovered", merged: true, recovered: true, pulls: 1 },
  };
}
