import { execFileSync } from "node:child_process";
import { approve, approver, comment, commit, passCi, pullOpened, reported, rush, type Scenario } from "../scenario.ts";
import { forgeWrites } from "../forge/writes.ts";
import { type LabRun, until } from "../start.ts";

const web = "manifests/shop/overlays/production/web.yaml";
const fourReplicas = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 4 # evening peak: 260 requests a second
`;

const path = ".github/rectify.yml";

function committedAt({ forge }: LabRun, sha: string): number {
  const shown = ["--git-dir", forge.directory, "show", "--no-patch", "--format=%ct", sha];
  return Number(execFileSync("git", shown, { encoding: "utf8" })) * 1000;
}

/** Scenarios in which Rectify may write nothing. */
export const shadowScenarios = {
  shadow: {
    about: "shadow mode: a person heals what Rectify only watches, and it says whether it would have done the same",
    guardrails: { mode: "shadow", dashboard: false },
    // A team that only looks gives no more than that.
    world: { github: { settings: { readOnly: true } } },
    run: async (run) => {
      await rush(run);
      const incident = await until("the incident", async () => (await run.rectify.store.incidents(1))[0]);
      const { uid } = incident.incident;
      const isGated = async () => (await run.rectify.store.eventsOf(uid)).some(({ verb }) => verb === "gate");
      await until("what would be proposed", isGated, 30_000);
      run.say(approver, "scales web by hand, in Git");
      const sha = await commit(run, "four replicas of web", { [web]: fourReplicas });
      await until("the verdict", async () => (await run.rectify.store.incident(uid))?.ending, 60_000);
      const shadow = (await run.rectify.store.incident(uid))?.outcome?.shadow;
      const { ours, theirs, commit: of, leadMs } = shadow?.verdict ?? {};
      if (theirs !== "4" || ours === undefined || of !== sha)
        throw new Error(`compared ${ours ?? "nothing"} with ${theirs ?? "nothing"} of ${of ?? "no commit"}`);
      const proposedAt = shadow?.would.kind === "proposed" ? shadow.would.at : "";
      const lead = committedAt(run, sha) - Date.parse(proposedAt);
      if (leadMs !== lead) throw new Error(`a lead of ${leadMs} ms, not of ${lead}`);
      const gated = (await run.rectify.store.eventsOf(uid)).find(({ verb }) => verb === "gate");
      if (Math.abs(Date.parse(proposedAt) - Date.parse(gated?.at ?? "")) > 5_000)
        throw new Error(`it would have proposed at ${proposedAt}, and was through the gate at ${gated?.at}`);
      const writes = [...forgeWrites(run.forge), ...run.cluster.writesAttempted];
      if (writes.length > 0) throw new Error(`it tried to write: ${writes.join(", ")}`);
    },
    expected: { ending: "shadow", merged: false, recovered: true, pulls: 0, because: "as commit" },
  },
  "shadow-switch": {
    about: "a person switches to shadow mode while a pull request stands in the merge queue: it is withdrawn",
    world: { github: { settings: { mergeQueue: "ruleset" } } },
    run: async (run) => {
      await rush(run);
      const pull = await pullOpened(run);
      await approve(run, pull);
      await passCi(run, pull);
      await until("the merge queue", () => run.forge.queued().includes(pull));
      const guardrails = (await run.forge.files("main"))[path] ?? "";
      const quiet = `${guardrails.replace(/^(?:mode|dashboard):.*\n/gm, "")}\nmode: shadow\ndashboard: false\n`;
      await commit(run, "only look from now on", { [path]: quiet });
      await reported(run, pull, /^[\s\S]*\*\*Approved by .*shadow mode was switched on/);
      await until("the end of the pull request", async () => (await run.forge.pull(pull)).state === "closed");
      if (run.forge.queued().length > 0) throw new Error("it still stands in the merge queue");
      const { uid } = (await run.rectify.store.incidents(1))[0]?.incident ?? {};
      await until("the end of the incident", async () => (await run.rectify.store.incident(uid ?? ""))?.ending);
      run.forge.resetCalls();
      await comment(run, pull, { by: approver, body: "/dispute" });
      await until("what was said", async () => (await run.rectify.store.withdrawals()).length > 0);
      await until("the end of hearing it", async () => (await run.rectify.store.waitingCount()) === 0);
      const writes = forgeWrites(run.forge).filter((write) => !write.includes("graphql"));
      if (writes.length > 0) throw new Error(`it tried to write: ${writes.join(", ")}`);
    },
    expected: { ending: "declined", merged: false, recovered: false, pulls: 1, because: "shadow mode was switched on" },
  },
} satisfies Readonly<Record<string, Scenario>>;
