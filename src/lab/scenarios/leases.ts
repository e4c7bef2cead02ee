import { approve, approver, comment, passCi, pullOpened, rush, type Scenario } from "../scenario.ts";
import { type LabRun, until } from "../start.ts";

const quiet = 60;
const patientMs = 90_000;
const manifest = "manifests/shop/overlays/production/web.yaml";

/** Waits until the lease of the first incident has begun. */
async function leased({ rectify }: LabRun): Promise<string> {
  const lease = await until("the lease", async () => (await rectify.store.leases.running())[0]);
  return lease.incident.uid;
}

/** Scenarios of capacity that is only kept for a while. */
export const leaseScenarios = {
  lease: {
    about: "the rush is over: when the lease of the scale-up expires, the scale-down is proposed, merged and verified",
    guardrails: {
      leases: { duration: "3s" },
      priceBook: { cpuHour: 0.04, memoryGiBHour: 0.005, currency: "EUR" },
      budgets: { "shop-production": 500 },
    },
    run: async (run) => {
      await rush(run);
      const first = await pullOpened(run);
      await passCi(run, first);
      await approve(run, first);
      const uid = await leased(run);
      run.say("visitors", `${quiet} requests a second again`);
      run.cluster.setLoad("web", quiet);
      // The first look still sees the rush, and renews the lease: the scale-down comes with a later one.
      await until("the scale-down", () => run.forge.pulls()[1], patientMs);
      const second = await pullOpened(run, 2);
      const { title, labels } = run.forge.pulls()[1] ?? { labels: [] };
      if (
        !/to 2 replicas \(lease of pull request 1\)/.test(title ?? "") ||
        !labels.some(({ name }) => name === "lease")
      )
        throw new Error(`not the end of the lease: ${title}`);
      await passCi(run, second);
      await approve(run, second);
      const ended = await until(
        "the end of the lease",
        async () => (await run.rectify.store.leaseOf(uid))?.ended,
        patientMs,
      );
      if (!/^reverted by pull request \d+, recovered/.test(ended))
        throw new Error(`the lease ended otherwise: ${ended}`);
      const files = await run.forge.files("main");
      if (!/replicas: 2\b/.test(files[manifest] ?? "")) throw new Error("Git does not ask for the number before");
      const completed = Object.entries(files).filter(([path]) => path.startsWith("postmortems/"));
      if (!completed.some(([, text]) => text.includes('outcome: "verified"')))
        throw new Error("the scale-down did not carry the completed post-mortem");
    },
    expected: { ending: "recovered", merged: true, recovered: true, pulls: 2 },
  },
  // A change that helped, and that a person does not want any more.
  "roll-back": {
    about: "the change helped and is merged; a person wants it back: that goes the same line, approved like any other",
    run: async (run) => {
      await rush(run);
      const first = await pullOpened(run);
      await passCi(run, first);
      await approve(run, first);
      const lease = await until("the end of the incident", async () => (await run.rectify.store.leases.running())[0]);
      run.say("visitors", `${quiet} requests a second again`);
      run.cluster.setLoad("web", quiet);
      await comment(run, first, { by: "visitor", body: "/rollback" });
      await comment(run, first, { by: approver, body: "/rollback" });
      const second = await pullOpened(run, 2);
      const title = run.forge.pulls()[1]?.title ?? "";
      if (!/to 2 replicas \(rollback of pull request 1\)/.test(title)) throw new Error(`not the rollback: ${title}`);
      await passCi(run, second);
      await approve(run, second);
      const settled = await until(
        "the end of the rollback",
        async () => (await run.rectify.store.leaseOf(lease.incident.uid))?.ended,
      );
      if (!settled.includes(`${approver} rolled the scale-up back`)) throw new Error(`the lease ended: ${settled}`);
      await until("2 replicas", () => run.cluster.stateOf("web").readyReplicas === 2);
      const text = (await run.forge.files("main"))[manifest] ?? "";
      if (!/replicas: 2\b/.test(text)) throw new Error("Git does not ask for the number before");
      const asked = run.forge.pulls().length;
      if (asked !== 2) throw new Error(`a visitor was heard, too: ${asked} pull requests`);
    },
    expected: { ending: "recovered", merged: true, recovered: true, pulls: 2 },
  },
} satisfies Readonly<Record<string, Scenario>>;
