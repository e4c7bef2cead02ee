import { expect, test } from "vitest";
import type { GitHubClient } from "../../../src/adapters/github/github.ts";
import { guardrailsHost } from "../../../src/adapters/github/guardrails.ts";

const since = new Date("2026-11-29T10:00:00Z");
const pulls = Array.from({ length: 250 }, (_, at) => ({
  number: 250 - at,
  user: { login: at === 0 ? "rectify[bot]" : "wim" },
  updated_at: new Date(since.getTime() + (150 - at) * 1_000).toISOString(),
}));

test("every open pull request of others that changed since is found, and older ones are not read", async () => {
  const asked: number[] = [];
  const list = async ({ page, per_page }: { page: number; per_page: number }) => {
    asked.push(page);
    return { data: pulls.slice((page - 1) * per_page, page * per_page) };
  };
  const readAll: GitHubClient["readAll"] = async (read) => {
    const all = [];
    for (let page = 1; ; page += 1) {
      const { data } = await read({ page, per_page: 100 });
      all.push(...data);
      if (data.length < 100) return all;
    }
  };
  const client = {
    readAll,
    login: "rectify[bot]",
    repository: { owner: "o", repo: "r" },
    octokit: { rest: { pulls: { list } } },
  };
  const found = await guardrailsHost(client as unknown as GitHubClient).pullsSince(since);
  expect([found.length, found[0], found.at(-1), asked]).toEqual([150, 249, 100, [1, 2]]);
});
