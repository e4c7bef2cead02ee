import { dashboardNameOf } from "../../domain/proposal/dashboard.ts";
import { mostWritesInTwoMinutes, writesAmong } from "../forge/server.ts";
import { approver, type Scenario } from "../scenario.ts";
import { type LabRun, until } from "../start.ts";

const overlay = "manifests/shop/overlays/production";
/** Requests per second that one replica cannot serve, and that it can. */
const busy = 130;
const quiet = 20;
const mostOpen = 5;
// GitHub lets an App write 80 times a minute. The lab does not space its writes: a burst is spread over two.
const mostWrites = 160;

const kustomization = `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: shop-production
resources:
  - namespace.yaml
  - ../../base
  - tenants.yaml
patches:
  - path: web.yaml
  - path: checkout-hpa.yaml
`;

const tenant = (name: string) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: 1
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
      containers:
        - name: ${name}
          image: ghcr.io/rectify-lab/tenant:1.0.0
          resources:
            requests: {cpu: 250m, memory: 192Mi}
            limits: {memory: 256Mi}
`;

const quota = (count: number) => `apiVersion: v1
kind: ResourceQuota
metadata:
  name: shop
spec:
  hard:
    requests.cpu: "${count + 20}"
    pods: "${4 * count + 40}"
`;

/** Deployments of these names beside the shop, each of one replica, and the quota that they need. */
export function tenantFiles(names: readonly string[]): Readonly<Record<string, string>> {
  return {
    [`${overlay}/kustomization.yaml`]: kustomization,
    [`${overlay}/tenants.yaml`]: names.map(tenant).join("---\n"),
    "manifests/shop/base/quota.yaml": quota(names.length),
  };
}

// Of more than these one core does not simulate each half second in half a second.
const mostSimulated = 600;

/** What else goes on in a storm, for whoever measures it. */
interface StormCompany {
  /** Begins with the storm, and has ended before people do anything. */
  readonly beside?: (run: LabRun) => Promise<void>;
  /** The load goes. */
  readonly atResolve?: () => void;
}

/** So many workloads that alert at once. */
export function stormOf(count: number, { beside, atResolve }: StormCompany = {}): Scenario {
  const names = Array.from({ length: count }, (_, index) => `tenant-${String(index + 1).padStart(2, "0")}`);
  return {
    about: `${count} workloads alert at once: ${mostOpen} proposals are open, the rest waits on one issue`,
    guardrails: { exemptSeverities: [] },
    world: { coarse: count > mostSimulated ? 2 : 1, files: tenantFiles(names) },
    run: async (run) => {
      run.say("visitors", `${busy} requests a second to each of ${count} workloads`);
      for (const name of names) run.cluster.setLoad(name, busy);
      const patienceMs = Math.max(300_000, 5_000 * count);
      const isListed = () => waiting(run) === count - mostOpen;
      await Promise.all([until(`${count - mostOpen} waiting workloads`, isListed, patienceMs), beside?.(run)]);
      await holds(run, mostOpen);
      const [chosen = ""] = listed(run).slice(-1);
      await tick(run, chosen);
      const opened = await until("the proposal of the ticked box", () => run.forge.pulls()[mostOpen]?.number);
      const workflow = await until("its incident", () => run.rectify.store.workflowOfPull(opened));
      if (workflow !== chosen) throw new Error(`not the ticked one was opened: ${workflow}`);
      await until("the box to be used up", () => waiting(run) === count - mostOpen - 1);
      await holds(run, mostOpen + 1);
      atResolve?.();
      await goHome(run, names);
      const { calls } = run.forge;
      const most = mostWritesInTwoMinutes(calls);
      const writes = writesAmong(calls).length;
      run.say("github", `${calls.length} calls, ${writes} of them writes, at most ${most} within two minutes`);
      if (most > mostWrites) throw new Error(`${most} writes within two minutes`);
    },
    expected: { ending: "resolved-before-merge", merged: false, recovered: true, pulls: mostOpen + 1 },
  };
}

/** Many at once: what is not opened is listed, and people may open more. */
export const stormScenarios = { "storm-small": stormOf(40) } satisfies Readonly<Record<string, Scenario>>;

/** First from those that wait: a place that became free would be taken by the next of them. */
async function goHome({ cluster, forge, rectify, say }: LabRun, names: readonly string[]): Promise<void> {
  const titles = forge.pulls().map(({ title }) => title);
  const open = names.filter((name) => titles.some((title) => title.includes(name)));
  const leave = async (leaving: readonly string[], staying: number) => {
    for (const name of leaving) cluster.setLoad(name, quiet);
    const left = async () => (await rectify.store.unfinished()).length === staying;
    await until(`the end of ${leaving.length} incidents`, left, 300_000);
  };
  say("visitors", "go home from those that wait");
  await leave(
    names.filter((name) => !open.includes(name)),
    open.length,
  );
  say("visitors", "go home from the rest");
  await leave(open, 0);
}

function dashboard({ forge, settings }: LabRun): string {
  return forge.issues().find(({ title }) => title === dashboardNameOf(settings.cluster).title)?.body ?? "";
}

/** The incidents that have a box on the dashboard issue: of some hundred not all find room there. */
function listed(run: LabRun): string[] {
  const boxes = dashboard(run).matchAll(/^- \[[ x]\] <!-- rectify:open=(\S+) -->/gm);
  return [...boxes].flatMap(([, incident]) => incident ?? []);
}

/** How many wait, as the dashboard issue says. */
function waiting(run: LabRun): number {
  return Number(/^## Waiting \((\d+)\)$/m.exec(dashboard(run))?.[1] ?? 0);
}

async function tick({ forge, say, settings }: LabRun, incident: string): Promise<void> {
  const issue = forge.issues().find(({ title }) => title === dashboardNameOf(settings.cluster).title);
  say(approver, `ticks the box of ${incident}`);
  const box = ` <!-- rectify:open=${incident}`;
  await forge.editIssue(issue?.number ?? 0, approver, (issue?.body ?? "").replace(`- [ ]${box}`, `- [x]${box}`));
}

/** A place is taken before its pull request is on GitHub: the last of them may be on its way while the rest is listed. */
async function holds({ forge }: LabRun, wanted: number): Promise<void> {
  await until(`${wanted} proposals`, () => forge.pulls().length >= wanted);
  const open = forge.pulls().filter((pull) => pull.state === "open");
  const branches = new Set(forge.pulls().map((pull) => pull.head.ref));
  if (open.length !== wanted || branches.size !== wanted) {
    throw new Error(`${open.length} proposals for ${branches.size} workloads are open, not ${wanted}`);
  }
}
