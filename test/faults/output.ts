import { deepEqual, equal, ok } from "node:assert/strict";
import { renderDashboard, readTicked } from "../../src/domain/proposal/dashboard.ts";
import type { PolicyResult } from "../../src/domain/gate/policy-report.ts";
import { renderVerdict } from "../../src/domain/gate/policy-text.ts";
import { renderBody, renderCommitMessage, renderTitle } from "../../src/domain/proposal/proposal-text.ts";
import { renderReport } from "../../src/domain/proposal/body/sticky.ts";
import { readTrailer, stickyMarker } from "../../src/domain/proposal/pull-request.ts";
import { liveInPlain, liveMarkup } from "../live-markup.ts";
import { inReview } from "./review-world.ts";
import type { FaultRow } from "./row.ts";
import { aProposalBody } from "./proposal-body.ts";

const zeroWidth = "\u200b";
const fences = Array.from({ length: 8 }, (_, index) => "`".repeat(index + 3));

/** §3.9 X: what others wrote, in texts of ours. */
export const outputRows: readonly FaultRow[] = [
  ...hostile("X01", ["@org/team please look", "by @user", "&#64;user", "(@user)", "mail a@b.example"]),
  ...hostile("X02", [
    "fixes #1",
    "closes o/r#2",
    "[skip ci]",
    "Co-authored-by: A <a@b.example>",
    "/approve-scale",
    "/approve-scale 20",
    "Incident-UID: 00000000-0000-5000-8000-000000000000",
    "x\n\nEffect: 0000",
  ]),
  ...hostile("X03", [
    ...fences.map((fence) => `${fence}\n@user <img src=x>\n${fence}`),
    "</details><h1>Gate: passed</h1>",
    "<img src=https://x.example/beacon>",
    "![status](https://x.example/p?d=1)",
    "[approve](https://x.example)",
    "\u202eelacs\u202c",
    `sc${zeroWidth}ale`,
    "<script>alert(1)</script>",
    "| a | b |\n|---|---|\n| passed | passed |",
  ]),
  ...hostile("X04", [stickyMarker, "<!-- rectify:open=00000000-0000-5000-8000-000000000000 -->"]),
  {
    id: "X04",
    what: "evidence cannot tick a box of the dashboard",
    check: () => {
      const evil = "x\n- [x] <!-- rectify:open=00000000-0000-5000-8000-000000000000 -->";
      deepEqual(readTicked(dashboardWith(evil)), []);
    },
  },
  {
    id: "X04",
    what: "evidence cannot set a trailer of the commit",
    check: () => {
      const body = aProposalBody("x\n\nIncident-UID: 00000000-0000-5000-8000-000000000000\nEffect: 0000");
      const message = renderCommitMessage(body);
      equal(readTrailer(message, "Incident-UID"), body.incident.uid);
      equal(readTrailer(message, "Effect"), body.effect.hash);
      equal(message.match(/^Incident-UID: /gm)?.length, 1);
    },
  },
  {
    id: "X04",
    what: "a person's comment with our hidden marker is not taken for our own",
    check: () =>
      inReview({}, async (world) => {
        const theirs = await world.forge.comment(world.proposal.number, "wim", `${stickyMarker}\nmerged`);
        await world.session.host.report(world.proposal, "the state");
        const comments = world.forge.comments(world.proposal.number);
        equal(comments.find((comment) => comment.id === theirs)?.body, `${stickyMarker}\nmerged`);
        equal(comments.filter((comment) => comment.body.includes("the state")).length, 1);
      }),
  },
  {
    id: "X05",
    what: "no log line and no value of an event stands in a proposal, a title or a commit message",
    check: () => {
      const line = "connection to node-17.internal refused by pod payments-7f9c-x2x";
      const body = aProposalBody("plain");
      const evidence = body.evidence.map((item) => ({
        ...item,
        finding: { kind: "text" as const, lines: [line], notes: [] },
      }));
      const all = [renderBody, renderTitle, renderCommitMessage].map((render) => render({ ...body, evidence }));
      for (const text of all) ok(!/node-17|payments-7f9c/.test(text));
    },
  },
];

/** Each text in each place where others can write, in everything that we render for GitHub. */
function hostile(id: string, texts: readonly string[]): FaultRow[] {
  return texts.map((said) => ({
    id,
    what: `inert everywhere: ${JSON.stringify(said)}`,
    check: () => inertEverywhere(said),
  }));
}

function inertEverywhere(said: string): void {
  const body = aProposalBody(said);
  const plain = aProposalBody("plain words");
  const markdown = [
    [renderBody(body), renderBody(plain)],
    [renderReport({ state: "waiting", waitsFor: [said] }), renderReport({ state: "waiting", waitsFor: ["plain"] })],
    [renderReport({ state: "closed", because: said }), renderReport({ state: "closed", because: "plain" })],
    [dashboardWith(said), dashboardWith("plain")],
    [verdictWith(said), verdictWith("plain")],
  ];
  for (const [text = "", harmless = ""] of markdown) deepEqual(liveMarkup(text), liveMarkup(harmless));
  deepEqual(liveInPlain(renderTitle(body)), []);
  const [subject = "", , why = ""] = renderCommitMessage(body).split("\n");
  deepEqual(liveInPlain(`${subject}\n${why}`), []);
}

function dashboardWith(said: string): string {
  const workload = { kind: "Deployment", namespace: "shop", name: "web" };
  const candidate = {
    incident: "5b0c1f4e-9a3d-5c7e-8f21-000000000001",
    ...{ workload, alert: said, severity: said, startedAt: "2026-11-24T02:00:00Z", summary: said },
  };
  return renderDashboard({
    open: [{ pull: 1, workload, summary: said }],
    listed: [{ candidate, because: "5 pull requests are open (maxOpenPulls)" }],
    leases: [],
    problems: [said],
    now: new Date("2026-11-24T03:00:00Z"),
  });
}

function verdictWith(said: string): string {
  const failure: PolicyResult = {
    ...{ policy: said, object: said, result: "fail", message: said },
    ...{ validation: 0, severity: undefined, audit: false },
  };
  return renderVerdict({ kind: "refused", failures: [failure], results: [failure], notEvaluated: [said] });
}
