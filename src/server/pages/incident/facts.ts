import { html } from "hono/html";
import { renderRemediation } from "../../../domain/kubernetes/remediation.ts";
import { workloadKey } from "../../../domain/kubernetes/workload.ts";
import { renderCost } from "../../../domain/remedy/cost.ts";
import type { Part } from "../parts/layout.ts";
import { commitLink, fileLink, pullLink } from "../parts/links.ts";
import { lasting, when } from "../parts/when.ts";
import type { IncidentView } from "./view.ts";

type Fact = readonly [name: string, value: Part | string | undefined];

/** The head of the workflow: what hurt, what was changed, by whose leave, how long it took, what it costs. */
export function factsPart(view: IncidentView): Part {
  const { record, now } = view;
  const { incident, outcome, openedAt, endedAt } = record;
  const confidence = outcome?.cause?.confidence;
  const facts: Fact[] = [
    ["Workload", html`${workloadKey(incident.workload)} <span class="dim">in ${incident.cluster}</span>`],
    ["Severity", incident.severity],
    ["Opened", when(openedAt, now)],
    [
      "Ended",
      endedAt === undefined
        ? undefined
        : html`${when(endedAt, now)}, after ${lasting(Date.parse(endedAt) - Date.parse(openedAt))}`,
    ],
    [
      "Cause",
      outcome?.cause &&
        html`${outcome.cause.sentence}${confidence === undefined ? "" : ` (${Math.round(confidence * 100)} %)`}`,
    ],
    ["Change", changeOf(view)],
    ["Pull request", pullOf(view)],
    ["Approved", approvalOf(view)],
    ["Merged as", commitOf(view, outcome?.mergedSha)],
    ["Took", durationsOf(view)],
    ["Costs", outcome?.cost && html`${renderCost(outcome.cost)} <span class="dim">${outcome.cost.because}</span>`],
    ["Reverted by", revertOf(view)],
    ["Incident-UID", html`<code>${incident.uid}</code> <a href="/audit?incident=${incident.uid}">audit</a>`],
  ];
  const known = facts.filter(([, value]) => value !== undefined && value !== "");
  return html`<dl class="facts">${known.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>`;
}

function changeOf({ record: { outcome }, events, links }: IncidentView): Part | undefined {
  if (outcome?.remediation === undefined) return undefined;
  const sha = outcome.mergedSha || outcome.proposal?.headSha || "";
  const places = placesIn(events.findLast(({ verb }) => verb === "plan")?.text ?? "");
  const files = outcome.proposal?.files ?? [];
  // The pull request carries post-mortems along: only what the plan named was changed on the cluster.
  const changed = places.length > 0 ? places : files.map((file) => ({ file, line: undefined }));
  const shown = changed.map(({ file, line }) => {
    const address = fileLink(links, sha, file, line);
    const name = line === undefined ? file : `${file}:${line}`;
    return html`<br />${address === undefined ? html`<code>${name}</code>` : html`<a href="${address}"><code>${name}</code></a>`}`;
  });
  return html`${renderRemediation(outcome.remediation)}${shown}`;
}

/** `… in a.yaml:3, b.yaml:7` as the plan tells it. */
function placesIn(text: string): { readonly file: string; readonly line: number }[] {
  const [, list = ""] = / in ((?:\S+:\d+(?:, )?)+)$/.exec(text) ?? [];
  return list.split(", ").flatMap((item) => {
    const [, file, line] = /^(.+):(\d+)$/.exec(item) ?? [];
    return file === undefined ? [] : [{ file, line: Number(line) }];
  });
}

function pullOf({ record: { outcome }, pull, links }: IncidentView): Part | undefined {
  const number = outcome?.proposal?.number ?? pull;
  if (number === undefined) return undefined;
  const address = outcome?.proposal?.url ?? pullLink(links, number);
  const labels = outcome?.proposal?.labels.join(", ") ?? "";
  const shown = address === undefined ? `#${number}` : html`<a href="${address}">#${number}</a>`;
  return html`${shown}${labels === "" ? "" : html` <span class="dim">${labels}</span>`}`;
}

/** Who or what let the change pass, as it was told at the merge. */
function approvalOf({ events }: IncidentView): string | undefined {
  const merged = events.find(({ verb, text }) => verb === "decide" && text.startsWith("merged #"));
  return merged?.text.slice(merged.text.indexOf(": ") + 2);
}

function commitOf({ links }: IncidentView, sha: string | undefined): Part | undefined {
  if (sha === undefined || sha === "") return undefined;
  const address = commitLink(links, sha);
  const short = html`<code>${sha.slice(0, 12)}</code>`;
  return address === undefined ? short : html`<a href="${address}">${short}</a>`;
}

function revertOf(view: IncidentView): Part | undefined {
  const revert = view.record.outcome?.revert;
  if (revert?.proposal === undefined) return undefined;
  const merged = commitOf(view, revert.mergedSha);
  return html`<a href="${revert.proposal.url}">#${revert.proposal.number}</a>${merged === undefined ? ", not merged" : html`, merged as ${merged}`}`;
}

/** How long each part took, by what was told. */
function durationsOf({ events, record }: IncidentView): string | undefined {
  const first = (verb: string, start: string) => {
    const found = events.find((event) => event.verb === verb && event.text.startsWith(start));
    return found && Date.parse(found.at);
  };
  const points: readonly (readonly [string, number | undefined])[] = [
    ["alert", Date.parse(record.openedAt)],
    ["pull request", first("propose", "#")],
    ["merge", first("decide", "merged #")],
    ["sync", first("sync", "")],
    ["recovery", first("verify", "recovered")],
  ];
  const known = points.flatMap(([name, at]) => (at === undefined ? [] : [{ name, at }]));
  const parts = known.slice(1).map(({ name, at }, index) => {
    const before = known[index];
    return before === undefined ? "" : `${before.name} to ${name} ${lasting(at - before.at)}`;
  });
  return parts.length === 0 ? undefined : parts.join(" · ");
}
