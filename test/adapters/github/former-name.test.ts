import { afterAll, beforeAll, expect, test } from "vitest";
import { connectGitHub } from "../../../src/adapters/github/github.ts";
import { app, key, repository, startShop } from "../../lab/forge-shop.ts";

let forge: Awaited<ReturnType<typeof startShop>>;
beforeAll(async () => {
  forge = await startShop({});
});
afterAll(() => forge.close());

/** GitHub leads a former name to the repository for good, and a name that was given away to another one. */
test("a former name is one that GitHub leads to the repository, and no other", async () => {
  const { owner, repo } = repository;
  forge.faults = ({ path }) => {
    if (path === `/repos/${owner}/old`) {
      const location = `${forge.apiUrl}/repos/${owner}/${repo}`;
      return { when: "before", answer: { status: 301, headers: { location } } };
    }
    if (path !== `/repos/${owner}/other`) return undefined;
    return { when: "before", answer: { status: 200, body: { full_name: `${owner}/other` } } };
  };
  const about = { apiUrl: forge.apiUrl, repository, app: { id: app.id, privateKey: key }, writeGapMs: 0 };
  const client = await connectGitHub({ ...about, audit: async () => undefined });
  expect(await client.wasCalled(`${owner}/old`)).toBe(true);
  expect(await client.wasCalled(`${owner}/other`)).toBe(false);
  expect(await client.wasCalled(`${owner}/gone`)).toBe(false);
});
