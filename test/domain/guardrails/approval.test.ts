import { describe, expect, test } from "vitest";
import {
  admitComment,
  admissionOf,
  type Place,
  ruleOf,
  type Commenter,
  staleness,
} from "../../../src/domain/guardrails/approval.ts";
import type { RuledWord } from "../../../src/domain/guardrails/command.ts";
import { parseGuardrails, type Guardrails } from "../../../src/domain/guardrails/guardrails.ts";
import { bodyHashOf, type Comment } from "../../../src/domain/guardrails/commenter.ts";

const now = new Date("2026-11-24T03:00:00Z");
const comment: Comment = {
  id: 1,
  proposal: 7,
  author: "ana",
  byPerson: true,
  body: "/approve-scale",
  createdAt: "2026-11-24T02:59:00Z",
  edited: false,
};

describe("a comment", () => {
  test.each<[string, Comment | undefined, string]>([
    ["that a person created a minute ago is heard", comment, "heard"],
    ["that was deleted is ignored", undefined, "ignored"],
    ["of a bot or through an App is ignored", { ...comment, byPerson: false }, "ignored"],
    ["that was edited is ignored", { ...comment, edited: true }, "ignored"],
    ["with another text than at its creation is ignored", { ...comment, body: "/approve-scale 9" }, "ignored"],
    ["older than a day is refused", { ...comment, createdAt: "2026-11-23T02:59:00Z" }, "refused"],
    ["of an unreadable time is refused", { ...comment, createdAt: "yesterday" }, "refused"],
  ])("%s", (_, found, kind) => {
    expect(admitComment({ comment: found, bodyHash: bodyHashOf("/approve-scale"), now }).kind).toBe(kind);
  });
});

const commenter: Commenter = { login: "ana", permission: "write", teams: [] };
const place: Place = { ours: true, open: true, author: "rectify[bot]", committers: ["rectify[bot]"] };

function guardrailsWith(approvers: object = {}): Guardrails {
  const parsed = parseGuardrails({ approvers });
  if (!parsed.ok) throw new Error(parsed.problems.join());
  return parsed.value;
}

describe("who may", () => {
  const team = guardrailsWith({ "approve-scale": { teams: ["org/sre"], users: ["Bob"] } });
  test.each<
    [string, RuledWord, { who?: Partial<Commenter>; where?: Partial<Place>; rules?: Guardrails }, RegExp | undefined]
  >([
    ["a writer approves", "approve-scale", {}, undefined],
    ["a reader does not", "approve-scale", { who: { permission: "read" } }, /needs the permission write/],
    ["a reader may ask for help", "help", { who: { permission: "read" } }, undefined],
    ["an outsider may not", "help", { who: { permission: "none" } }, /needs the permission read/],
    ["an unanswered permission is no", "hold", { who: { permission: undefined } }, /could not be verified/],
    ["a foreign pull request", "approve-scale", { where: { ours: false } }, /not a pull request of Rectify/],
    ["a closed pull request", "approve-scale", { where: { open: false } }, /closed/],
    ["the author", "approve-scale", { where: { author: "Ana" } }, /their own change/],
    ["a committer", "approve-scale", { where: { committers: ["ANA"] } }, /their own change/],
    ["unknown committers", "approve-scale", { where: { committers: undefined } }, /could not be read/],
    ["a committer may stop it", "reject", { where: { committers: ["ana"] } }, undefined],
    ["a listed user", "approve-scale", { who: { login: "bob" }, rules: team }, undefined],
    ["a member of a listed team", "approve-scale", { who: { teams: ["Org/SRE"] }, rules: team }, undefined],
    ["nobody else", "approve-scale", { who: { permission: "admin" }, rules: team }, /not among the approvers/],
    [
      "a listed user without permission",
      "approve-scale",
      { who: { login: "bob", permission: "read" }, rules: team },
      /needs the/,
    ],
    [
      "unanswered teams are no",
      "approve-scale",
      { who: { teams: undefined }, rules: team },
      /teams could not be verified/,
    ],
    ["another command has its own rule", "hold", { rules: team }, undefined],
  ])("%s", (_, word, { who, where, rules }, because) => {
    const admission = admissionOf(word, { ...commenter, ...who }, { ...place, ...where }, rules ?? guardrailsWith());
    if (because === undefined) expect(admission).toEqual({ kind: "heard" });
    else expect(admission).toEqual({ kind: "refused", because: expect.stringMatching(because) });
  });
});

test("the number of approvals comes from the rule of the command", () => {
  expect(ruleOf("approve-scale", guardrailsWith()).count).toBe(1);
  expect(ruleOf("approve-scale", guardrailsWith({ "approve-scale": { count: 2 } })).count).toBe(2);
});

test("an approval dies with the effect, not with the commit", () => {
  const approved = { headSha: "abc1234567", effect: "e1" };
  expect(staleness(approved, { headSha: "def5678901", effect: "e1" })).toBeUndefined();
  expect(staleness(approved, { headSha: "def5678901", effect: "e2" })).toBe(
    "you approved abc1234, head is def5678 and changes something else",
  );
});
