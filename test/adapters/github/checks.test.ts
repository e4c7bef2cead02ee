import { afterEach, expect, test } from "vitest";
import { branchProtection, requiredChecks } from "../../../src/adapters/github/checks.ts";
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
  expect(await branchProtection(client, "main")).toEqual({ isProtected: checks.length > 0, checks });
});

test("a GitHub without rulesets still tells of the branch's own protection", async () => {
  const client = await shopWith({});
  forge.faults = ({ path }) =>
    path.includes("/rules/branches/") ? { when: "before", answer: { status: 404, message: "Not Found" } } : undefined;
  expect((await branchProtection(client, "main")).checks).toEqual([{ name: "ci", app: 99 }]);
});

test("a check that a ruleset requires counts only from its App", async () => {
  const client = await shopWith({ requiredChecks: [], rulesetChecks: [{ name: "policy", appId: 7 }] });
  const sha = (await forge.headOf("main")) ?? "";
  expect(await requiredChecks(client, "main", sha)).toEqual([{ name: "policy", state: "pending" }]);
  await forge.reportCheck({ sha, name: "policy", appId: 8, conclusion: "success" });
  expect(await requiredChecks(client, "main", sha)).toEqual([{ name: "policy", state: "pending" }]);
  await forge.reportCheck({ sha, name: "policy", appId: 7, conclusion: "success" });
  expect(await requiredChecks(client, "main", sha)).toEqual([{ name: "policy", state: "passed" }]);
});
