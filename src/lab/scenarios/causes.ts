import { approve, commit, passCi, pullOpened, type Scenario } from "../scenario.ts";
import { type LabRun, until } from "../start.ts";

const overlay = "manifests/shop/overlays/production";

const kustomization = (tag: string) => `apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: shop-production
resources:
  - namespace.yaml
  - ../../base
patches:
  - path: web.yaml
  - path: catalog.yaml
  - path: checkout-hpa.yaml
images:
  - name: ghcr.io/rectify-lab/shop-web
    newTag: ${tag} # released every Tuesday
`;

const replicasOf = (name: string, replicas: number) => `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${name}
spec:
  replicas: ${replicas}
`;

/** The production overlay sets every number and tag that the scenarios change. */
const files = {
  [`${overlay}/kustomization.yaml`]: kustomization("1.14.2"),
  [`${overlay}/catalog.yaml`]: replicasOf("catalog", 2),
};

/** Two of web, two of catalog, three of checkout and two of payments fit in; one more web does not. */
const tightQuota = `apiVersion: v1
kind: ResourceQuota
metadata:
  name: shop
spec:
  hard:
    requests.cpu: 1700m
    pods: "40"
`;

const runbook = `---
alert: HighErrorRate
match:
  causes: [bad-change]
remedy:
  kind: revert
---
A release that fails is reverted first and understood afterwards.
`;

async function approved(run: LabRun): Promise<number> {
  const pull = await pullOpened(run);
  await passCi(run, pull);
  await approve(run, pull);
  return pull;
}

/** Scenarios whose cause is another one than too few replicas of the workload that alerts. */
export const causeScenarios = {
  "bad-deploy": {
    about: "a release of web answers with errors: Rectify finds the commit and proposes its undo",
    world: {
      files: { ...files, "runbooks/errors.md": runbook },
      badImages: [{ workload: "web", tag: "1.15.0", effect: { extraErrorShare: 0.3 } }],
    },
    run: async (run) => {
      const path = `${overlay}/kustomization.yaml`;
      await commit(run, "release web 1.15.0", { [path]: kustomization("1.15.0") });
      await approved(run);
      await until("the undo", async () => (await run.forge.files("main"))[path] === kustomization("1.14.2"));
    },
    expected: { ending: "recovered", merged: true, recovered: true, pulls: 1 },
  },
  "noisy-neighbour": {
    about: "another customer of catalog saturates it: web alerts, the change goes to catalog",
    world: { files, alertsOf: "web" },
    run: async (run) => {
      run.say("partners", "700 requests a second to catalog");
      run.cluster.setLoad("catalog", 700);
      const pull = await approved(run);
      const changed = (await run.forge.pull(pull)).title;
      if (!changed.startsWith("Scale catalog")) throw new Error(`the change goes elsewhere: ${changed}`);
    },
    expected: { ending: "recovered", merged: true, recovered: true, pulls: 1 },
  },
  quota: {
    about: "the replicas are wanted in Git, but the quota refuses their pods: nothing that Rectify may change",
    world: { files: { ...files, "manifests/shop/base/quota.yaml": tightQuota } },
    run: async (run) => {
      await commit(run, "four replicas of web for the sale", { [`${overlay}/web.yaml`]: replicasOf("web", 4) });
      await until("the new number", () => run.cluster.stateOf("web").replicas === 4);
      run.say("visitors", "260 requests a second");
      run.cluster.setLoad("web", 260);
    },
    expected: { ending: "no-change", merged: false, recovered: false, pulls: 0, because: "quota" },
  },
  predictive: {
    about: "the load of web rises steadily: it is scaled before anyone waits",
    world: { files, predictive: true },
    run: async (run) => {
      run.say("visitors", "4 more requests a second, every second");
      const rising = rise(run, { from: 60, perSecond: 4, to: 185 });
      try {
        await approved(run);
        await until("the merge", () => run.forge.pulls()[0]?.merged);
        const hurt = run.cluster.firing().find((alert) => alert.name !== "PredictiveSaturation");
        if (hurt) throw new Error(`it hurt before it was scaled: ${hurt.name}`);
      } finally {
        clearInterval(rising);
      }
    },
    expected: { ending: "recovered", merged: true, recovered: true, pulls: 1 },
  },
} satisfies Readonly<Record<string, Scenario>>;

function rise(run: LabRun, ramp: { readonly from: number; readonly perSecond: number; readonly to: number }) {
  const begun = Date.now();
  return setInterval(() => {
    const seconds = (Date.now() - begun) / 1000;
    run.cluster.setLoad("web", Math.min(ramp.to, ramp.from + ramp.perSecond * seconds));
  }, 200);
}
