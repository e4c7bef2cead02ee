import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { bodyHashOf, type Permission } from "../../../src/domain/guardrails/commenter.ts";
import { parseGuardrails } from "../../../src/domain/guardrails/guardrails.ts";
import { acknowledge, authorize, type CommandPlace, liveComment } from "../../../src/flow/decide/authorize.ts";
import type { Ports } from "../../../src/ports/ports.ts";

const now = new Date("2026-11-25T00:00:00Z");
const proposal = { number: 7, effect: "e1" } as Extract<CommandPlace, { kind: "proposal" }>["proposal"];
const places: readonly [string, CommandPlace, object][] = [
  ["an open proposal", { kind: "proposal", proposal }, { pull: 7, head: "h1", effect: "e1" }],
  ["a proposal that nobody decides any more", { kind: "ended", pull: 7 }, { pull: 7 }],
  ["the dashboard", { kind: "dashboard", issue: 3 }, { issue: 3 }],
];
const parsed = parseGuardrails({ namespaces: ["shop"], approvers: { open: { teams: ["acme/sre"] } } });
if (!parsed.ok) throw new Error("the guardrails of the test are invalid");
const guardrails = parsed.value;
const comment = { id: 5, body: "/reject", author: "ann", byPerson: true, proposal: 7, edited: false };

/** A repository in which everybody has this permission; what was done to it, in order. */
function aHost(permission: Permission | undefined, committers: readonly string[] = []) {
  const done: unknown[] = [];
  const ports = {
    people: {
      comment: async () => ({ ...comment, createdAt: now.toISOString() }),
      permissionOf: async () => permission,
      teamsOf: async (_: string, teams: readonly string[]) => teams,
      committersOf: async () => committers,
      react: async (...reaction: unknown[]) => void done.push(reaction),
    },
    github: { stateOf: async () => ({ state: "open", headSha: "h1" }) },
    records: { audit: async (row: unknown) => void done.push(row) },
    clock: { now: () => now },
    telemetry: { log: (...told: unknown[]) => void done.push(told) },
  };
  return { done, ports: ports as unknown as Ports };
}

test.each(places)("under %s the answer is on record with what it was asked of", async (_, place, where) => {
  const { done, ports } = aHost("write");
  const said = { by: "ann", incident: "i1", proof: comment, guardrails };
  expect(await authorize("reject", said, place, ports)).toBeUndefined();
  const detail = { comment: 5, bodyHash: bodyHashOf("/reject"), permission: "write", admitted: "heard", ...where };
  expect(done).toEqual([{ incident: "i1", actor: "ann", action: "command reject", detail }]);
});

test.each(places)("under %s a refusal is on record too, and an unanswered question is one", async (_, place) => {
  for (const permission of ["read", undefined] as const) {
    const { done, ports } = aHost(permission);
    const said = { by: "ann", incident: "i1", proof: "a delivery", guardrails };
    expect(await authorize("open", said, place, ports)).toMatch(/needs the permission write|could not be verified/);
    expect(done).toMatchObject([{ detail: { proof: "a delivery", admitted: "refused" } }]);
  }
});

test("nobody approves their own open proposal; who changed an ended one may ask for it back", async () => {
  const { ports } = aHost("write", ["ann"]);
  const said = { by: "ann", incident: "i1", proof: comment, guardrails };
  const own = await authorize("approve-scale", said, { kind: "proposal", proposal }, ports);
  expect(own).toBe("nobody approves their own change");
  expect(await authorize("rollback", said, { kind: "ended", pull: 7 }, ports)).toBeUndefined();
});

test("a comment that is another by now gets no answer, and the log says why", async () => {
  const { done, ports } = aHost("write");
  const about = { incident: "i1", pull: 7 };
  const hear = (bodyHash: string) => liveComment({ kind: "command", comment: 5, bodyHash }, about, ports);
  expect(await hear(bodyHashOf("/reject"))).toMatchObject({ comment: { id: 5 }, late: undefined });
  expect(await hear("another")).toBeUndefined();
  expect(done).toEqual([["i1", "decide", expect.stringContaining("edited")]]);
});

test("the reaction names the incident, so that it is on record", async () => {
  const { done, ports } = aHost("write");
  await acknowledge(5, { allowed: false, incident: "i1" }, ports);
  await acknowledge(5, { allowed: true, incident: "i1" }, ports);
  expect(done).toEqual([
    [5, "confused", "i1"],
    [5, "+1", "i1"],
  ]);
});

test("nobody else asks who may use a command", () => {
  const asking = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.startsWith("ports") && !file.startsWith("domain"))
    .filter((file) => /\.permissionOf\(/.test(readFileSync(join("src", file), "utf8")));
  // The listeners ask who may look at the pages, which commands nothing.
  expect(asking.map((file) => file.replaceAll("\\", "/")).sort()).toEqual([
    "flow/decide/authorize.ts",
    "server/listeners.ts",
  ]);
});
