import { afterAll, beforeAll, expect, test } from "vitest";
import { connectGitHub } from "../../../src/adapters/github/github.ts";
import { app, key, repository, startShop } from "../../lab/forge-shop.ts";

let forge: Awaited<ReturnType<typeof startShop>>;
beforeAll(async () => {
  forge = await startShop({});
});
afterAll(() => forge.close());

/** What tokens were asked for, by the API and by git, and when it is renewed. */
async function askedFor(onlyThis: boolean): Promise<unknown[]> {
  const asked: unknown[] = [];
  forge.faults = ({ path, body }) => {
    if (path.endsWith("/access_tokens")) asked.push((body as { repositories?: unknown } | undefined)?.repositories);
    return undefined;
  };
  const about = { apiUrl: forge.apiUrl, repository, app: { id: app.id, privateKey: key }, writeGapMs: 0, onlyThis };
  const client = await connectGitHub({ ...about, audit: async () => undefined });
  await client.authorization();
  await client.octokit.auth({ type: "installation", refresh: true });
  await client.read(() => client.octokit.rest.repos.get(repository));
  forge.faults = undefined;
  return asked;
}

test("where several are served, each token is good for one repository alone", async () => {
  const asked = await askedFor(true);
  expect(asked.length).toBeGreaterThan(1);
  expect(new Set(asked.map((one) => JSON.stringify(one)))).toEqual(new Set([JSON.stringify([repository.repo])]));
});

test("where one is served, tokens are asked for as before", async () => {
  expect(new Set(await askedFor(false))).toEqual(new Set([undefined]));
});
