import { afterEach, expect, test } from "vitest";
import { branchProtection, checksOn } from "../../../src/adapters/github/checks.ts";
import type { ForgeOptions } from "../../../src/lab/forge/forge.ts";
import { connect, startShop } from "../../lab/forge-shop.ts";

let forge: Awaited<ReturnType<typeof startShop>>;
afterEach(() => forge.close());

async function shopWith(options: Partial<ForgeOptions>) {
  forge = await startShop(options);
  return (await connect(forge)).client;
}

test.each<[string, Partial<ForgeOptions>, { name: string; app: number | undefined }[]]>([
  ["the branch's own protection", {}, [{ name: "ci", app: 99 }]],
  [
    "a ruleset alone",
    { requiredChecks: [], rulesetChecks: [{ name: "policy", appId: 7 }] },
    [{ name: "policy", app: 7 }],
  ],
  [
    "both, summed up",
    { rulesetChecks: [{ name: "policy", appId: 7 }] },
    [
      { name: "ci", app: 99 },
      { name: "policy", app: 7 },
    ],
  ],
  ["the same check twice, once", { rulesetChecks: [{ name: "ci", appId: 99 }] }, [{ name: "ci", app: 99 }]],
  ["the stricter of two", { rulesetChecks: [{ name: "ci" }] }, [{ name: "ci", app: 99 }]],
  ["neither", { requiredChecks: [] }, []],
])("required checks are read from %s", async (_, options, checks) => {
  const client = await shopWith(options);
  expect(await branchProtection(client, "main")).toMatchObject({ isProtected: checks.length > 0, checks });
});

test("a GitHub without rulesets still tells of the branch's own protection", async () => {
  const client = await shopWith({});
  forge.faults = ({ path }) =>
    path.includes("/rules/branches/") ? { when: "before", answer: { status: 404, message: "Not Found" } } : undefined;
  expect((await branchProtection(client, "main")).checks).toEqual([{ name: "ci", app: 99 }]);
});

const policy = [{ name: "policy", app: 7 }];

async function standing(
  client: Awaited<ReturnType<typeof shopWith>>,
  wanted = policy as { name: string; app?: number }[],
) {
  const sha = (await forge.headOf("main")) ?? "";
  const named = wanted.map(({ name, app }) => ({ name, app }));
  const { required, failed } = await checksOn(client, named, sha);
  return { sha, failed, required: required.map(({ state, counted }) => [state, counted]) };
}

test("a check that a ruleset requires counts only from its App", async () => {
  const client = await shopWith({ requiredChecks: [] });
  const { sha, required } = await standing(client);
  expect(required).toEqual([["pending", "pending"]]);
  await forge.reportCheck({ sha, name: "policy", appId: 8, conclusion: "success" });
  expect((await standing(client)).required).toEqual([["pending", "pending"]]);
  await forge.reportCheck({ sha, name: "policy", appId: 7, conclusion: "success" });
  expect((await standing(client)).required).toEqual([["passed", "passed"]]);
});

test.each(["neutral", "skipped"] as const)("%s is enough for GitHub, and not for us", async (conclusion) => {
  const client = await shopWith({});
  const { sha } = await standing(client);
  await forge.reportCheck({ sha, name: "policy", appId: 7, conclusion });
  expect((await standing(client)).required).toEqual([["failed", "passed"]]);
});

test.each([
  ["success", ["passed", "passed"]],
  ["pending", ["pending", "pending"]],
  ["failure", ["failed", "failed"]],
  ["error", ["failed", "failed"]],
] as const)("a commit status %s of the expected App stands for its check", async (state, expected) => {
  const client = await shopWith({});
  const { sha } = await standing(client);
  await forge.reportStatus({ sha, context: "policy", state: "pending", by: "app-7[bot]" });
  await forge.reportStatus({ sha, context: "policy", state, by: "app-7[bot]" });
  expect((await standing(client)).required).toEqual([expected]);
});

test("a status that a person set satisfies GitHub where no App is named, and never our own rule", async () => {
  const client = await shopWith({});
  const { sha } = await standing(client);
  await forge.reportStatus({ sha, context: "jenkins", state: "success", by: "wim" });
  expect((await standing(client, [{ name: "jenkins" }])).required).toEqual([["pending", "passed"]]);
  expect((await standing(client, [{ name: "jenkins", app: 7 }])).required).toEqual([["pending", "pending"]]);
});

test("GitHub wants both where a check and a status share a name", async () => {
  const client = await shopWith({});
  const { sha } = await standing(client);
  await forge.reportCheck({ sha, name: "policy", appId: 7, conclusion: "success" });
  await forge.reportStatus({ sha, context: "policy", state: "pending", by: "app-7[bot]" });
  expect((await standing(client)).required).toEqual([["pending", "pending"]]);
});

test("an App without statuses: read still sees the check runs, and says what it lacks", async () => {
  const client = await shopWith({ settings: { withoutPermissions: ["statuses"] } });
  const { sha } = await standing(client);
  const { required } = await checksOn(client, [{ name: "policy", app: 7 }], sha);
  expect(required).toMatchObject([{ state: "pending", because: expect.stringContaining("statuses: read") }]);
  await forge.reportCheck({ sha, name: "policy", appId: 7, conclusion: "success" });
  expect((await standing(client)).required).toEqual([["passed", "passed"]]);
});

test("what failed though nothing requires it is told", async () => {
  const client = await shopWith({});
  const { sha } = await standing(client);
  await forge.reportCheck({ sha, name: "lint", appId: 7, conclusion: "failure" });
  await forge.reportStatus({ sha, context: "deploy/preview", state: "error", by: "wim" });
  await forge.reportCheck({ sha, name: "optional", appId: 7, conclusion: "skipped" });
  expect((await standing(client)).failed).toEqual(["lint", "deploy/preview"]);
});

test("an older server names required checks without their Apps", async () => {
  const client = await shopWith({});
  const { data } = await client.octokit.rest.repos.getBranch({ ...client.repository, branch: "main" });
  const contexts = { ...data.protection.required_status_checks, checks: undefined };
  const older = { ...data, protection: { ...data.protection, required_status_checks: contexts } };
  const read = async () => older as never;
  expect((await branchProtection({ ...client, read }, "main")).checks).toEqual([{ name: "ci", app: undefined }]);
});
