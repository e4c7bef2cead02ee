import { approve, approver, comment, passCi, pullOpened, rush, type Scenario } from "../scenario.ts";
import { until } from "../start.ts";

const quiet = 60;
const manifest = "manifests/shop/overlays/production/web.yaml";

/** A change that helped, and that a person does not want any more. */
export const rollbackScenarios = {
  "roll-back": {
    about: "the change helped and is merged; a person wants it back: that goes the same line, approved like any other",
    run: async (stage) => {
      await rush(stage);
      const first = await pullOpened(stage);
      await passCi(stage, first);
      await approve(stage, first);
      const lease = await until("the end of the story", async () => (await stage.rectify.store.leases.running())[0]);
      stage.say("visitors", `${quiet} requests a second again`);
      stage.cluster.setLoad("web", quiet);
      await comment(stage, first, { by: "visitor", body: "/rollback" });
      await comment(stage, first, { by: approver, body: "/rollback" });
      const second = await pullOpened(stage, 2);
      const title = stage.forge.pulls()[1]?.title ?? "";
      if (!/to 2 replicas \(rollback of pull request 1\)/.test(title)) throw new Error(`not the rollback: ${title}`);
      await passCi(stage, second);
      await approve(stage, second);
      const settled = await until(
        "the end of the rollback",
        async () => (await stage.rectify.store.leaseOf(lease.incident.uid))?.ended,
      );
      if (!settled.includes(`${approver} rolled the scale-up back`)) throw new Error(`the lease ended: ${settled}`);
      await until("2 replicas", () => stage.cluster.stateOf("web").readyReplicas === 2);
      const text = (await stage.forge.files("main"))[manifest] ?? "";
      if (!/replicas: 2\b/.test(text)) throw new Error("Git does not ask for the number before");
      const asked = stage.forge.pulls().length;
      if (asked !== 2) throw new Error(`a visitor was heard, too: ${asked} pull requests`);
    },
    expected: { ending: "recovered", merged: true, recovered: true, pulls: 2 },
  },
} satisfies Readonly<Record<string, Scenario>>;
