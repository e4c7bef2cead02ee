import { expect, test } from "vitest";
import { type GitHubClient, keepReport } from "../../../src/adapters/github/github.ts";

test("the texts of sticky comments are kept for the proposals that were written under last", () => {
  const client: Pick<GitHubClient, "reports"> = { reports: new Map() };
  for (let number = 1; number <= 100; number += 1) keepReport(client, number, { id: number, body: "waits" });
  keepReport(client, 1, { id: 1, body: "merged" });
  keepReport(client, 101, { id: 101, body: "waits" });
  expect(client.reports.size).toBe(100);
  expect(client.reports.get(1)).toEqual({ id: 1, body: "merged" });
  expect(client.reports.has(2)).toBe(false);
});
