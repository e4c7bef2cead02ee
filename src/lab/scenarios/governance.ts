import { approve, approver, comment, passCi, peak, pullOpened, reported, rush, type Scenario } from "../scenario.ts";
import { until } from "../start.ts";

const afterwards = { merged: true, recovered: true, pulls: 1 } as const;

/** Who may change production, on what word. */
export const governance = {
  "approve-n": {
    about: "a person wants another number: it is planned, rendered and gated anew, and their word binds to that effect",
    // What web's backlog does to the services behind it while it drains would be an incident of its own.
    world: { alertsOf: "web" },
    run: async (run) => {
      await rush(run);
      const pull = await pullOpened(run);
      const first = run.forge.pulls()[0]?.head.sha ?? "";
      await comment(run, pull, { by: approver, body: "/approve-scale 5" });
      await until("the new effect", () => run.forge.pulls()[0]?.head.sha !== first);
      await until("its title", () => run.forge.pulls()[0]?.title.includes("from 2 to 5 replicas"));
      // Green on the commit before is not green on this one.
      await passCi(run, pull);
      await until("5 replicas", () => run.cluster.stateOf("web").readyReplicas === 5);
    },
    expected: { ...afterwards, ending: "recovered" },
  },
  "stale-approval": {
    about: "a colleague pushes another effect to the branch around the approval: the bot does nothing",
    run: async (run) => {
      await rush(run);
      const pull = await pullOpened(run);
      const branch = run.forge.pulls()[0]?.head.ref ?? "";
      run.say("dev-ben", `pushes 11 replicas to ${branch}`);
      const path = "manifests/shop/overlays/production/web.yaml";
      const text = (await run.forge.files(branch))[path] ?? "";
      const files = { [path]: text.replace(/replicas: \d+/, "replicas: 11") };
      await run.forge.push(files, { branch, author: "dev-ben", message: "More is better" });
      await approve(run, pull);
      await passCi(run, pull);
      await reported(run, pull, /a person pushed [0-9a-f]{7} to this branch/);
      await new Promise((resume) => setTimeout(resume, 2_000));
      run.say("dev-ben", `closes #${pull}`);
      await run.forge.closeBy("dev-ben", pull);
    },
    expected: { ending: "declined", merged: false, recovered: false, pulls: 1 },
  },
  "forged-comment": {
    about: "others try to speak for the approver: nothing merges until the approver does",
    run: async (run) => {
      await rush(run);
      const pull = await pullOpened(run);
      await passCi(run, pull);
      const refused: readonly [string, RegExp][] = [
        ["visitor", /needs the permission write, yours is read/],
        ["dev-ben", /not among the approvers/],
        ["stranger", /needs the permission write, yours is none/],
      ];
      for (const [by, words] of refused) {
        await comment(run, pull, { by, body: "/approve-scale" });
        await reported(run, pull, words);
      }
      await comment(run, pull, { by: "rectify[bot]", body: "/approve-scale" });
      await comment(run, pull, { by: approver, body: "> /approve-scale" });
      await comment(run, pull, { by: approver, body: "as in `/approve-scale`\n```\n/approve-scale\n```" });
      await comment(run, pull, { by: approver, body: "<!--\n/approve-scale\n-->" });
      const harmless = await comment(run, pull, { by: approver, body: "I am looking at it" });
      // The clock of comments runs in seconds: an edit within one cannot be told from no edit, but for its words.
      await new Promise((resume) => setTimeout(resume, 1_100));
      run.say("visitor", `turns comment ${harmless} into /approve-scale`);
      await run.forge.editComment(harmless, "/approve-scale", "visitor");
      // Long enough for a look without news, too.
      await new Promise((resume) => setTimeout(resume, 6_000));
      if (run.forge.pulls()[0]?.merged) throw new Error("a forged word merged the change");
      await approve(run, pull);
    },
    expected: { ...afterwards, ending: "recovered" },
  },
  freeze: {
    about: "an open issue labelled rectify-freeze stops the merge of an approved change; closing it lets it go on",
    run: async (run) => {
      const issue = await run.forge.openIssue("dev-ben", { title: "Black Friday: hands off" });
      await run.forge.label(issue, ["rectify-freeze"], "dev-ben");
      run.say("dev-ben", `opens #${issue} with the label rectify-freeze`);
      await rush(run);
      const pull = await pullOpened(run);
      await passCi(run, pull);
      await approve(run, pull);
      await reported(run, pull, /the end of the freeze/);
      await new Promise((resume) => setTimeout(resume, 6_000));
      if (run.forge.pulls()[0]?.merged) throw new Error("it merged during the freeze");
      run.say("dev-ben", `closes #${issue}`);
      await run.forge.closeBy("dev-ben", issue);
    },
    expected: { ...afterwards, ending: "recovered" },
  },
  "policy-refused": {
    about: "the policies refuse the number that is wanted: the nearest that they let pass is proposed, with the rule",
    needs: "kyverno",
    files: {
      "policies/replicas.yaml": (text) =>
        text.replace('expression: "10"', `expression: "object.kind == 'Deployment' ? 3 : 10"`),
    },
    run: async (run) => {
      run.say("visitors", "400 requests a second");
      run.cluster.setLoad("web", 400);
      const pull = await pullOpened(run);
      const { title, body } = run.forge.pulls()[0] ?? {};
      if (!/from 2 to 3 replicas/.test(title ?? "")) throw new Error(`not the counter-offer: ${title}`);
      if (!/rectify-replicas/.test(body ?? "")) throw new Error("the proposal does not name the rule that was hit");
      await comment(run, pull, { by: approver, body: "/approve-scale 7" });
      await reported(run, pull, /3 is the nearest that passes/);
      if (run.forge.pulls()[0]?.state !== "open") throw new Error("the open proposal did not stay open");
      run.cluster.setLoad("web", peak);
      await passCi(run, pull);
      await approve(run, pull);
    },
    expected: { ...afterwards, ending: "recovered" },
  },
} satisfies Readonly<Record<string, Scenario>>;
