import { afterEach, expect, test } from "vitest";
import type { MergeMethod } from "../../../../src/domain/guardrails/merge-method.ts";
import type { Forge, ForgeOptions } from "../../../../src/lab/forge/forge.ts";
import { aDraft, ci, connect, startShop } from "../../../lab/forge-shop.ts";

let forge: Awaited<ReturnType<typeof startShop>>;
afterEach(() => forge.close());

type Settings = NonNullable<ForgeOptions["settings"]>;

/** A proposal whose required check is green. */
async function ready(settings: Settings, options: Partial<ForgeOptions> = {}) {
  forge = await startShop({ settings, ...options });
  const session = await connect(forge);
  const proposal = await session.host.publish(await aDraft(forge));
  await forge.reportCheck({ sha: proposal.headSha, name: "ci", appId: ci, conclusion: "success" });
  const merge = (methods?: readonly MergeMethod[]) => session.host.merge(proposal, ["ada"], methods);
  return { session, proposal, merge };
}

async function tip(place: Pick<Forge, "headOf" | "directory">, client: Awaited<ReturnType<typeof connect>>["client"]) {
  const sha = (await place.headOf("main")) ?? "";
  const { data } = await client.octokit.rest.git.getCommit({ ...client.repository, commit_sha: sha });
  return { parents: data.parents.length, message: data.message };
}

const rebased: Settings = { mergeMethods: ["rebase"] };
const hidden = { showsMethods: false };

test.each<[string, Settings, MergeMethod[] | undefined, { parents: number; words: string }]>([
  [
    "squash where all are allowed",
    { mergeMethods: ["merge", "squash", "rebase"] },
    undefined,
    { parents: 1, words: "(#1)" },
  ],
  ["rebase where nothing else is", rebased, undefined, { parents: 1, words: "Effect: effect-4-replicas" }],
  ["rebase where GitHub does not show it", { ...rebased, ...hidden }, undefined, { parents: 1, words: "Incident-UID" }],
  [
    "a merge commit where nothing else is",
    { mergeMethods: ["merge"], ...hidden },
    undefined,
    { parents: 2, words: "(#1)" },
  ],
  [
    "what the guardrails put first",
    { mergeMethods: ["merge", "squash"] },
    ["merge", "squash"],
    { parents: 2, words: "(#1)" },
  ],
])("merges by %s", async (_what, settings, methods, { parents, words }) => {
  const { session, merge } = await ready(settings);
  const merged = await merge(methods);
  expect(merged).toEqual({ kind: "merged", sha: await forge.headOf("main") });
  expect(await tip(forge, session.client)).toMatchObject({ parents, message: expect.stringContaining(words) });
});

test.each([{}, hidden])(
  "none of the methods is allowed: told with both remedies, nothing merged (%o)",
  async (more) => {
    const { merge } = await ready({ mergeMethods: ["merge"], ...more });
    const answer = await merge(["squash", "rebase"]);
    expect(answer).toMatchObject({ kind: "not-yet", because: expect.stringMatching(/mergeMethods|not allowed/) });
    expect((await forge.pull(1)).merged).toBe(false);
  },
);

test("what a ruleset forbids is not tried", async () => {
  const { merge } = await ready({ mergeMethods: ["merge", "squash"] });
  const pulls = () => forge.calls.filter(({ path }) => path.endsWith("/merge"));
  forge.faults = ({ path }) =>
    path.includes("/rules/branches/") ? { when: "before", answer: { status: 404 } } : undefined;
  expect(await merge(["merge"])).toMatchObject({ kind: "merged" });
  expect(pulls()).toHaveLength(1);
});

test("the merge asks for no rules that the look before it saw", async () => {
  const { session, proposal, merge } = await ready({});
  await session.host.look(proposal);
  const asked = () => forge.calls.filter(({ path }) => path.includes("/rules/branches/")).length;
  const before = asked();
  expect(await merge()).toMatchObject({ kind: "merged" });
  expect(before).toBe(1);
  expect(asked()).toBe(before);
});

test("a queue that came after the look is learned from GitHub's no", async () => {
  const { session, proposal, merge } = await ready({});
  await session.host.look(proposal);
  forge.change({ mergeQueue: "ruleset" });
  expect(await merge()).toMatchObject({ kind: "not-yet", because: expect.stringContaining("position 1") });
  expect(forge.queued()).toEqual([proposal.number]);
});

test.each(["ruleset", "protection"] as const)(
  "with a merge queue by %s it is enqueued, followed, and merged there",
  async (mergeQueue) => {
    const { session, proposal, merge } = await ready({ mergeQueue });
    expect(await merge()).toMatchObject({ kind: "not-yet", because: expect.stringContaining("position 1") });
    expect(forge.queued()).toEqual([proposal.number]);
    expect((await session.host.look(proposal)).queued).toBe("in the merge queue at position 1 (awaiting checks)");
    expect(await merge()).toMatchObject({ kind: "not-yet", because: expect.stringContaining("position 1") });
    expect(forge.queued()).toHaveLength(1);
    await forge.finishQueued(proposal.number, "merged");
    expect(await session.host.look(proposal)).toMatchObject({ state: "merged", mergedBy: "github-merge-queue[bot]" });
  },
);

test("a head that moved is not enqueued", async () => {
  const { proposal, merge } = await ready({ mergeQueue: "ruleset" });
  await forge.push({ "x.txt": "1\n" }, { message: "mine", author: "ada", branch: proposal.branch });
  expect(await merge()).toMatchObject({ kind: "moved" });
  expect(forge.queued()).toEqual([]);
});

test("what the queue threw out goes back later, and the reason is told", async () => {
  const { proposal, merge } = await ready({ mergeQueue: "ruleset" });
  await merge();
  await forge.finishQueued(proposal.number, "FAILED_CHECKS");
  expect(await merge()).toMatchObject({
    because: expect.stringMatching(/taken out of the merge queue \(failed checks\)/),
  });
  expect(forge.queued()).toEqual([]);
});

test("it leaves the queue, and doing so twice is safe", async () => {
  const { session, proposal, merge } = await ready({ mergeQueue: "ruleset" });
  await merge();
  await session.host.leaveQueue(proposal);
  await session.host.leaveQueue(proposal);
  expect(forge.queued()).toEqual([]);
});

test("a branch that must hold the newest commit of its base says so, and GitHub's no is quoted", async () => {
  const { session, proposal, merge } = await ready({ strict: true });
  await forge.push({ "other.txt": "1\n" }, { message: "other", author: "ada" });
  await session.host.look(proposal);
  expect((await session.host.look(proposal)).behind).toBe(true);
  expect(await merge()).toMatchObject({ kind: "not-yet", because: expect.stringContaining("out of date") });
});
