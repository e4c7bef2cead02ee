import { plainService } from "../cluster/simulation/shop.ts";
import type { LabRule } from "../cluster/metrics/rules.ts";
import type { LabFault } from "../cluster/simulation/fault-state.ts";
import { approve, approver, comment, commit, passCi, pullOpened, reported, rush, type Scenario } from "../scenario.ts";
import { type LabRun, until } from "../start.ts";

const merged = { ending: "recovered", merged: true, recovered: true, pulls: 1 } as const;

async function approvedPull(run: LabRun): Promise<number> {
  await rush(run);
  const pull = await pullOpened(run);
  await approve(run, pull);
  return pull;
}

// The rules of kube-prometheus with the times of a scenario: their series name no workload, only a pod or an autoscaler.
const crashLooping: LabRule = {
  alert: "KubePodCrashLooping",
  expr: 'max_over_time(kube_pod_container_status_waiting_reason{reason="CrashLoopBackOff",job="kube-state-metrics"}[3s]) >= 1',
  forMs: 2_000,
  labels: { severity: "warning" },
  annotations: { summary: "Pod is crash looping." },
};
const maxedOut: LabRule = {
  alert: "KubeHpaMaxedOut",
  expr: 'kube_horizontalpodautoscaler_status_current_replicas{job="kube-state-metrics"} == kube_horizontalpodautoscaler_spec_max_replicas{job="kube-state-metrics"}',
  forMs: 2_000,
  labels: { severity: "warning" },
  annotations: { summary: "HPA is running at max replicas" },
};

const overlay = "manifests/shop/overlays/production/kustomization.yaml";
const released = (text: string, tag: string) => `${text}images:
  - name: ghcr.io/rectify-lab/shop-web
    newTag: ${tag}
`;

const brokenRelease: LabFault = {
  workload: { kind: "Deployment", namespace: "shop-production", name: "web" },
  holds: (objects) => JSON.stringify(objects.filter(({ kind }) => kind === "Deployment")).includes("shop-web:2.0.0"),
  effects: [
    {
      pods: {
        ...{ which: "new", ready: false, phase: "Running", restarts: 60 },
        waiting: { reason: "CrashLoopBackOff", message: "back-off 10s restarting failed container=web" },
        terminated: { reason: "Error", exitCode: 1 },
      },
      events: [{ type: "Warning", reason: "BackOff", message: "Back-off restarting failed container web", on: "pod" }],
      logs: [{ line: "fatal: cannot read the configuration of release 2", every: 1 }],
    },
  ],
};

const applicationOfTeam = `apiVersion: argoproj.io/v1alpha1
kind: Application
metadata:
  name: shop
  namespace: platform
spec:
  project: default
  source:
    repoURL: https://github.com/rectify-lab/shop
    targetRevision: main
    path: manifests/shop/overlays/production
  destination:
    server: https://kubernetes.default.svc
    namespace: shop-production
  syncPolicy:
    automated: { prune: true, selfHeal: true }
`;

/** The alert is over, whatever its labels are: the end of the incident looks at Deployments only. */
async function quiet(run: LabRun): Promise<void> {
  await until("silence", () => run.cluster.firing().length === 0);
}

/** The same scenario on platforms as organisations set them up. */
export const platformScenarios = {
  "rebase-only": {
    about: "the repository allows nothing but rebase merges",
    world: { github: { settings: { mergeMethods: ["rebase"], showsMethods: false } } },
    run: async (run) => {
      await passCi(run, await approvedPull(run));
    },
    expected: merged,
  },
  "commit-status": {
    about:
      "the required check of a Jenkins is a commit status that a user's token sets: GitHub counts it for a person's merge",
    world: { github: { rulesetChecks: [{ name: "jenkins/shop" }] } },
    run: async (run) => {
      const pull = await approvedPull(run);
      await passCi(run, pull);
      await reported(run, pull, /check jenkins\/shop/);
      const sha = run.forge.pulls()[0]?.head.sha ?? "";
      run.say("jenkins", `sets the status jenkins/shop of ${sha.slice(0, 7)} to success`);
      await run.forge.reportStatus({ sha, context: "jenkins/shop", state: "success", by: "jenkins" });
    },
    expected: merged,
  },
  "merge-queue": {
    about: "the branch is merged into by a merge queue: it is entered and followed",
    world: { github: { settings: { mergeQueue: "ruleset" } } },
    run: async (run) => {
      const pull = await approvedPull(run);
      await passCi(run, pull);
      await until("the place in the queue", () => run.forge.queued().includes(pull));
      await reported(run, pull, /in the merge queue at position 1/);
      run.say("github", `the group of #${pull} passed: the queue merges it`);
      await run.forge.finishQueued(pull, "merged");
    },
    expected: merged,
  },
  ghes: {
    about: "an Enterprise server under a name of its own: its API is under /api/v3, and git fetches from the same host",
    world: { github: { hostName: "localhost" } },
    run: async (run) => {
      await passCi(run, await approvedPull(run));
    },
    expected: merged,
  },
  "label-tracking": {
    about:
      "Argo CD tracks by label, its application is in a team's namespace, and something else is out of sync for ever",
    world: { gitops: "argocd by label", files: { "manifests/argocd/shop-production.yaml": applicationOfTeam } },
    run: async (run) => {
      await passCi(run, await approvedPull(run));
    },
    expected: merged,
  },
  "stock-alert": {
    about:
      "KubePodCrashLooping of kube-prometheus names a pod and nothing else: it leads to web, whose release is undone",
    files: { [overlay]: (text) => released(text, "1.14.2") },
    world: { rules: [crashLooping], fault: brokenRelease },
    run: async (run) => {
      const text = (await run.forge.files("main"))[overlay] ?? "";
      await commit(run, "release web 2.0.0", { [overlay]: text.replace("1.14.2", "2.0.0") });
      const pull = await pullOpened(run);
      await passCi(run, pull);
      await comment(run, pull, { by: approver, body: "/approve" });
      await until("the undo", async () => (await run.forge.files("main"))[overlay] === text);
      await quiet(run);
    },
    expected: merged,
  },
  "hpa-maxed": {
    about:
      "KubeHpaMaxedOut of kube-prometheus names an autoscaler: its Deployment is saturated, and its maximum is raised",
    world: {
      rules: [maxedOut],
      // Whoever checkout calls has room.
      services: {
        catalog: { ...plainService, perReplica: 3_000, baseMs: 8, cpuPerRequest: 0.1 / 3_000 },
        payments: { ...plainService, perReplica: 800, baseMs: 35, cpuPerRequest: 0.15 / 800 },
      },
    },
    run: async (run) => {
      run.say("partners", "400 requests a second to checkout");
      run.cluster.setLoad("checkout", 400);
      const pull = await pullOpened(run);
      await passCi(run, pull);
      await approve(run, pull);
      await until("the merge", () => run.forge.pulls()[0]?.merged);
      await quiet(run);
    },
    expected: merged,
  },
} satisfies Readonly<Record<string, Scenario>>;
