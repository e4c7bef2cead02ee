import { approver, commit, rush, type Scenario } from "../scenario.ts";
import { forgeWrites } from "../forge/writes.ts";
import { until } from "../start.ts";

const web = "manifests/shop/overlays/production/web.yaml";
const fourReplicas = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 4 # evening peak: 260 requests a second
`;

/** Stories in which Rectify may write nothing. */
export const shadowScenarios = {
  shadow: {
    about: "shadow mode: a person heals what Rectify only watches, and it says whether it would have done the same",
    guardrails: { mode: "shadow", dashboard: false },
    // A team that only looks gives no more than that.
    world: { github: { settings: { readOnly: true } } },
    run: async (stage) => {
      await rush(stage);
      const incident = await until("the incident", async () => (await stage.rectify.store.incidents(1))[0]);
      const { uid } = incident.incident;
      const isGated = async () => (await stage.rectify.store.eventsOf(uid)).some(({ verb }) => verb === "gate");
      await until("what would be proposed", isGated, 30_000);
      stage.say(approver, "scales web by hand, in Git");
      await commit(stage, "four replicas of web", { [web]: fourReplicas });
      await until("the verdict", async () => (await stage.rectify.store.incident(uid))?.ending, 60_000);
      const story = (await stage.rectify.store.incident(uid))?.story;
      const { ours, theirs } = story?.shadow?.verdict ?? {};
      if (theirs !== "4" || ours === undefined)
        throw new Error(`compared ${ours ?? "nothing"} with ${theirs ?? "nothing"}`);
      const writes = [...forgeWrites(stage.forge), ...stage.cluster.writesAttempted];
      if (writes.length > 0) throw new Error(`it tried to write: ${writes.join(", ")}`);
    },
    expected: { ending: "shadow", merged: false, recovered: true, pulls: 0, because: "as commit" },
  },
} satisfies Readonly<Record<string, Scenario>>;
