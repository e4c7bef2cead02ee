import { afterEach, expect, test } from "vitest";
import type { ForgeOptions } from "../../../src/lab/forge/forge.ts";
import { aDraft, ci, connect, startShop } from "../../lab/forge-shop.ts";

let forge: Awaited<ReturnType<typeof startShop>>;
afterEach(() => forge.close());

let nowMs = 0;
const later = () => {
  nowMs += 61_000;
};

/** A session whose clock stands still until `later`. */
async function open(settings: NonNullable<ForgeOptions["settings"]> = {}) {
  forge = await startShop({ settings });
  return connect(forge, undefined, () => nowMs);
}

const writes = () => forge.calls.filter(({ method, path }) => method !== "GET" && !path.includes("access_tokens"));

test("a repository that is archived already starts nothing and crashes nothing", async () => {
  const { host, client } = await open({ archived: true });
  expect((await client.about()).unfit).toMatch(/acme\/shop is archived.*: unarchive it in its settings/);
  forge.resetCalls();
  await expect(host.publish(await aDraft(forge))).rejects.toThrow(/is archived.*: unarchive it/);
  expect(await host.keepIssue(issue("one"), true)).toMatch(/is archived/);
  expect(await host.keepIssue(issue("two"), true)).toBeUndefined();
  await host.mark("watchtower", true);
  expect(writes()).toEqual([]);
});

test("a fork is worked on itself", async () => {
  const { host, client } = await open({ fork: true });
  expect(await client.about()).toMatchObject({ isFork: true, unfit: undefined });
  expect(await host.publish(await aDraft(forge))).toMatchObject({ number: 1 });
});

test("a right that the App lacks is told once with its name, and again when it is lost again", async () => {
  const { host } = await open({ withoutPermissions: ["issues"] });
  expect(await host.keepIssue(issue("one"), true)).toMatch(/there is no dashboard: GitHub 403.*needs issues: /);
  expect(await host.keepIssue(issue("one"), true)).toBeUndefined();
  forge.change({ withoutPermissions: [] });
  expect(await host.keepIssue(issue("one"), true)).toBeUndefined();
  expect(forge.issues().map(({ body }) => body)).toEqual(["one"]);
  forge.change({ withoutPermissions: ["issues"] });
  expect(await host.keepIssue(issue("two"), true)).toMatch(/there is no dashboard/);
});

test("a repository that is archived while we run is refused clearly, and nothing is sent to it", async () => {
  const { host } = await open();
  forge.change({ archived: true });
  later();
  forge.resetCalls();
  await expect(host.publish(await aDraft(forge))).rejects.toThrow(/acme\/shop is archived.*: unarchive it/);
  expect(writes()).toEqual([]);
  forge.change({ archived: false });
  later();
  expect(await host.publish(await aDraft(forge))).toMatchObject({ number: 1 });
});

test("what GitHub refuses lets the next try know why, before a minute has passed", async () => {
  const { host } = await open();
  forge.change({ archived: true });
  await expect(host.publish(await aDraft(forge))).rejects.toThrow(/403/);
  await expect(host.publish(await aDraft(forge))).rejects.toThrow(/acme\/shop is archived.*: unarchive it/);
});

const issue = (body: string) => ({ title: "Rectify dashboard", label: "rectify-dashboard", body });

test("without issues there is no dashboard, which is said once, until they are switched on", async () => {
  const { host } = await open({ hasIssues: false });
  forge.resetCalls();
  expect(await host.keepIssue(issue("one"), true)).toMatch(/issues are switched off.*: switch them on/);
  expect(await host.keepIssue(issue("two"), true)).toBeUndefined();
  expect(await host.ownIssue(issue(""))).toBeUndefined();
  expect(writes()).toEqual([]);
  forge.change({ hasIssues: true });
  later();
  expect(await host.keepIssue(issue("two"), true)).toBeUndefined();
  expect(forge.issues().map(({ body }) => body)).toEqual(["two"]);
});

test("issues that are switched off while we run fail nothing, and a proposal is opened all the same", async () => {
  const { host } = await open();
  await host.keepIssue(issue("one"), true);
  forge.change({ hasIssues: false });
  later();
  expect(await host.keepIssue(issue("two"), true)).toMatch(/issues are switched off/);
  expect(await host.publish(await aDraft(forge))).toMatchObject({ number: 2 });
  forge.change({ hasIssues: true });
  later();
  await host.keepIssue(issue("two"), true);
  expect(forge.issues().map(({ body }) => body)).toContain("two");
});

test("a default branch that changes while we run is the base of the next proposal", async () => {
  const { host } = await open();
  await forge.push({ "README.md": "trunk\n" }, { message: "Begin the trunk", author: "ada", branch: "trunk" });
  forge.change({ defaultBranch: "trunk" });
  later();
  const { number } = await host.publish(await aDraft(forge));
  expect((await forge.pull(number)).base.ref).toBe("trunk");
  expect((await host.look({ number })).place).toMatchObject({ base: "trunk", defaultBranch: "trunk" });
});

test("merge methods are asked again for each merge", async () => {
  const { host } = await open({ mergeMethods: ["squash"] });
  const proposal = await host.publish(await aDraft(forge));
  await forge.reportCheck({ sha: proposal.headSha, name: "ci", appId: ci, conclusion: "success" });
  forge.change({ mergeMethods: ["merge"] });
  expect(await host.merge(proposal, [], ["squash"])).toMatchObject({ kind: "not-yet" });
  expect(await host.merge(proposal)).toMatchObject({ kind: "merged" });
});
