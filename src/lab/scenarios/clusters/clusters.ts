import { join } from "node:path";
import { discardPostgres } from "../../../adapters/postgres/server.ts";
import type { Entry } from "../../../domain/kubernetes/manifest-edit.ts";
import { dashboardNameOf } from "../../../domain/proposal/dashboard.ts";
import type { SimulatedCluster } from "../../cluster/cluster.ts";
import { approve, passCi, peak, rush, type Scenario } from "../../scenario.ts";
import { type LabRun, until } from "../../start.ts";
import { openCluster } from "../../world.ts";
import { twoRepositories } from "./two-repositories.ts";
import { type SecondRectify, startSecond } from "./second-rectify.ts";

const staging = "staging";
const stagingEntry: Entry = {
  tool: "flux",
  path: "manifests/shop/overlays/staging",
  object: "Kustomization flux-system/shop",
};

/** The cluster beside the first one, with the Rectify that serves it and its own database. */
interface Beside {
  readonly cluster: SimulatedCluster;
  readonly rectify: SecondRectify;
  close(): Promise<void>;
}

async function openBeside({ forge, settings, say }: LabRun): Promise<Beside> {
  const directory = join(settings.dataDirectory, staging);
  const cluster = await openCluster(directory, forge, twoClusters, { entry: stagingEntry });
  const { prometheus, alertmanager, loki, kubernetes } = cluster.urls;
  try {
    const own: LabRun["settings"] = {
      ...settings,
      ...{ cluster: staging, dataDirectory: directory },
      ...{ prometheus: { ...settings.prometheus, url: prometheus }, alertmanager: { url: alertmanager } },
      ...{ loki: { url: loki }, kubernetes: { url: kubernetes, token: "lab" } },
    };
    const rectify = await startSecond(own, (line) => say(staging, line));
    cluster.setAlertWebhook({
      url: `http://127.0.0.1:${rectify.internalPort}/alerts`,
      token: settings.alerts.token,
    });
    return {
      ...{ cluster, rectify },
      close: async () => {
        await rectify.close();
        await cluster.close();
        discardPostgres(join(directory, "postgres"));
      },
    };
  } catch (error) {
    await cluster.close();
    throw error;
  }
}

/** The pull request of a cluster, as soon as its sticky comment is there: its branch names the cluster. */
async function pullOf({ forge }: LabRun, cluster: string): Promise<number> {
  const pull = await until(`the pull request of ${cluster}`, () =>
    forge.pulls().find(({ head }) => head.ref === `rectify/${cluster}/shop-${overlayOf(cluster)}-web`),
  );
  await until("its sticky comment", () => forge.comments(pull.number).length > 0);
  return pull.number;
}

const overlayOf = (cluster: string) => (cluster === staging ? "staging" : "production");

async function steps(run: LabRun, beside: Beside): Promise<void> {
  const { forge, settings, rectify } = run;
  await until("a quiet staging", () => beside.cluster.firing().length === 0 && beside.cluster.isSynced());
  await rush(run);
  run.say("visitors", `${peak} requests a second in ${staging}`);
  beside.cluster.setLoad("web", peak);
  const [ours, theirs] = await Promise.all([pullOf(run, settings.cluster), pullOf(run, staging)]);
  await passCi(run, theirs);
  await passCi(run, ours);
  // The App has one webhook address: the comment is told to the first Rectify, and only the second one may act on it.
  await approve(run, theirs);
  const merged = (number: number) => forge.pulls().find((pull) => pull.number === number)?.merged === true;
  await until("the merge in staging", () => merged(theirs));
  const recovered = () =>
    beside.rectify.told.find(({ verb, text }) => verb === "learn" && text.startsWith("recovered"));
  await until("the recovery in staging", recovered);
  if (merged(ours)) throw new Error(`the approval of #${theirs} merged #${ours} as well`);
  const heard = (await rectify.store.auditRows()).filter(
    ({ detail }) => (detail as { pull?: unknown }).pull === theirs,
  );
  if (heard.length > 0) throw new Error(`the first Rectify acted on #${theirs}: ${heard[0]?.action}`);
  await approve(run, ours);
  await until("the merge", () => merged(ours));
  for (const cluster of [settings.cluster, staging]) {
    const { title } = dashboardNameOf(cluster);
    const found = () => forge.issues().filter((issue) => issue.title === title);
    await until(`the dashboard of ${cluster}`, () => found().length > 0);
    if (found().length > 1) throw new Error(`there are ${found().length} issues "${title}"`);
  }
}

const twoClusters: Scenario = {
  about:
    "two clusters share one App and one repository: each Rectify sees to its own pull request and leaves the other",
  guardrails: { namespaces: ["shop-production", "shop-staging"] },
  run: async (run) => {
    const beside = await openBeside(run);
    try {
      await steps(run, beside);
    } finally {
      await beside.close();
    }
  },
  expected: { ending: "recovered", merged: true, recovered: true, pulls: 2 },
};

/** Several clusters that read one repository, and several repositories that one cluster reads. */
export const clusterScenarios = {
  "two-clusters": twoClusters,
  "two-repositories": twoRepositories(),
} satisfies Readonly<Record<string, Scenario>>;
