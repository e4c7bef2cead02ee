import { expect, test } from "vitest";
import { parseGuardrails } from "../../../src/domain/guardrails/guardrails.ts";
import { decisionTitle, settledTitle } from "../../../src/domain/proposal/body/check-title.ts";
import { allowedLinks } from "../../../src/domain/proposal/body/links.ts";
import { channelsFor } from "../../../src/domain/proposal/notice.ts";
import { anAlert, anIncident } from "../../builders.ts";
import { liveMarkup } from "../../live-markup.ts";

const notice = { kind: "proposed", incident: anIncident(), text: "x" } as const;
const monday = new Date("2026-11-23T02:00:00Z");
const night = { days: ["mon"], from: "00:00", to: "06:00", timeZone: "Europe/Berlin" };

function rules(notify: object) {
  const read = parseGuardrails({ notify });
  if (!read.ok) throw new Error(read.problems.map(({ text }) => text).join());
  return read.value.notify;
}

test.each([
  ["nobody is told by default", {}, []],
  ["where people said so", { slack: true, webhook: true }, ["slack", "webhook"]],
  ["for these severities", { slack: true, severities: ["critical"] }, ["slack"]],
  ["not for others", { slack: true, severities: ["page"] }, []],
  ["not in quiet hours", { slack: true, quietHours: [night] }, []],
  ["outside of them", { slack: true, quietHours: [{ ...night, days: ["tue"] }] }, ["slack"]],
])("%s", (_, notify, channels) => {
  expect(channelsFor(notice, rules(notify), monday)).toEqual(channels);
});

test("links lead to allowed hosts only, whoever wrote the address, and end no Markdown", () => {
  const incident = anIncident(
    anAlert({
      annotations: {
        runbook_url: "https://wiki.example/r](https://evil.example)<img>",
        dashboard_url: "https://evil.example/wiki.example",
      },
      generatorUrl: "https://ops:pw@wiki.example/graph",
    }),
  );
  const places = { pages: "https://rectify.example" };
  const links = allowedLinks({ incident, evidence: [] }, places, ["wiki.example", "rectify.example"]);
  expect(links).toEqual([
    { name: "incident", url: `https://rectify.example/incidents/${incident.uid}` },
    {
      name: "runbook",
      url: expect.stringMatching(/^https:\/\/wiki\.example\/r%5D%28https:\/\/evil\.example%29%3Cimg%3E$/),
    },
  ]);
  expect(allowedLinks({ incident, evidence: [] }, places, [])).toEqual([]);
  expect(liveMarkup(links.map(({ url }) => `\`${url}\``).join())).toEqual([]);
});

test.each([
  [
    { level: "low", reasons: ["low: no factor raises it"] },
    [],
    "Auto-merge when the required checks are green (risk low)",
  ],
  [
    { level: "medium", reasons: ["medium: unproven here: 0 of 3 verified successes"] },
    ["the guardrails allow no auto-merge", "risk is medium"],
    "Waiting for an approval: first time here",
  ],
  [
    { level: "high", reasons: ["high: the last such change did not help"] },
    ["risk is high"],
    "Waiting for an approval: the last such change did not help",
  ],
  [
    { level: "low", reasons: ["low: no factor raises it"] },
    ["the guardrails allow no auto-merge"],
    "Waiting for an approval: the guardrails allow no auto-merge",
  ],
])("the Check Run says the decision", (risk, lacks, title) => {
  expect(decisionTitle(risk, lacks)).toBe(title);
});

test("and what became of it once it is decided, in one line of plain text", () => {
  expect(settledTitle("merged", "alice approved it\nand more")).toBe("Merged: alice approved it and more");
  expect(settledTitle("closed", "the alert resolved")).toBe("Closed: the alert resolved");
});

test.each([
  [{ linkHosts: ["https://x.example"] }, "linkHosts.0: must be a host such as grafana.example.com"],
  [{ notify: { slakc: true } }, "notify.slakc: is not a known field"],
])("a wrong setting is told", (document, text) => {
  const read = parseGuardrails(document);
  expect(read.ok ? [] : read.problems.map((problem) => problem.text)).toEqual([expect.stringContaining(text)]);
});
