import { capsuleOf, readCapsule, renderCapsule } from "../../src/domain/records/capsule.ts";
import { type Dashboard, readTicked, renderDashboard } from "../../src/domain/proposal/dashboard.ts";
import { renderExplanation } from "../../src/domain/records/explanation.ts";
import {
  frontMatterOf,
  postMortemOf,
  readPostMortem,
  renderSealed,
  sealOf,
} from "../../src/domain/records/post-mortem.ts";
import type { IncidentOutcome } from "../../src/domain/proposal/outcome.ts";
import { parseYaml } from "../../src/manifests/yaml/yaml.ts";
import { incidentPage } from "../../src/server/pages/incident/page.ts";
import { incidentsPage } from "../../src/server/pages/incidents.ts";
import { anIncident } from "../builders.ts";
import { anItem } from "../domain/llm/a-question.ts";
import { liveInFile, liveMarkup } from "../live-markup.ts";

/** What people see beside the pull request: pages, terminal, dashboard, and the post-mortem that stays. */
interface Surfaces {
  /** The elements of our pages, in their order. */
  readonly elements: string;
  readonly terminal: readonly string[];
  readonly dashboard: string;
  readonly postMortem: string;
}

const plain = "web answers slowly";
const now = "2026-11-24T02:05:00.000Z";

/** All of them with the text wherever text of others may stand. */
async function surfacesOf(text: string): Promise<Surfaces> {
  const incident = anIncident({ name: text, annotations: { summary: text }, labels: { severity: text, team: text } });
  const finding = { kind: "facts", facts: { [text]: text }, notes: [text] } as const;
  const evidence = [
    anItem("E1", "loki", { kind: "text", lines: [text], notes: [text] }, text),
    { ...anItem("E2", "kubernetes", finding, text), query: text },
    anItem("E3", "git", { kind: "missing", because: text }, text),
  ];
  const outcome: IncidentOutcome = {
    ending: "no-change",
    because: text,
    cause: { sentence: text, citing: [text, "E1"] },
  };
  const capsule = renderCapsule(capsuleOf(incident, evidence, { at: now, versions: {} }));
  const record = { incident, openedAt: now, endedAt: now, ending: outcome.ending, because: text, outcome };
  const events = [{ at: now, verb: "diagnose", text }];
  const said = { prompt: text, answer: text, model: text, digest: text };
  const spent = { steps: [], exchanges: [{ at: now, ...said, promptTokens: 1, answerTokens: 1, durationMs: 1 }] };
  const around = { links, now: new Date(now) };
  const audit = [
    { at: now, incident: text, actor: text, action: text, detail: { [text]: text }, previous: "", hash: "" },
  ];
  const line = { uid: incident.uid, workload: text, alert: text, severity: text, openedAt: now, endedAt: now };
  const list = { lines: [{ ...line, ending: outcome.ending, because: text, pull: 7 }], next: undefined };
  const filter = { alert: text, text };
  const pages = [
    await incidentPage({ record, events, capsule, ...spent, audit, pull: 7, refreshes: undefined, ...around }),
    await incidentsPage({ asked: filter, page: list, counts: new Map(), ...around }),
  ].join("");
  const explained = renderExplanation({ ...record, ...spent, events, capsule: readCapsule(capsule) });
  const postMortem = renderSealed(postMortemOf({ incident, outcome, evidence, now }), sealKey, "");
  return {
    elements: (pages.match(/<[^>]*>/g) ?? []).map(withoutTexts).join(""),
    terminal: explained,
    dashboard: renderDashboard(dashboardWith(text)),
    postMortem,
  };
}

const links = {
  repository: "https://git.example/acme/shop",
  grafana: "https://grafana.example",
  prometheus: "https://prom.example",
};

/** An element without the values that may hold a text: where a link leads to stays, what it asks there does not. */
function withoutTexts(element: string): string {
  return element.replace(/ (aria-label|value)="[^"]*"/g, " $1").replace(/ href="([^"?]*)\?[^"]*"/g, ' href="$1?"');
}

const sealKey = "k".repeat(32);

function dashboardWith(text: string): Dashboard {
  const workload = { kind: "Deployment", namespace: "shop-production", name: "web" };
  const candidate = {
    ...{ incident: anIncident().uid, workload, alert: text, severity: text },
    ...{ startedAt: now, summary: text },
  };
  return {
    open: [{ pull: 7, workload, summary: text }],
    listed: [{ candidate, because: "5 pull requests are open (maxOpenPulls)" }],
    leases: [],
    problems: [text],
    now: new Date(now),
  };
}

const usual = await surfacesOf(plain);

/** What the text achieves on them that a harmless one does not. */
export async function surfaceBreaches(text: string): Promise<string[]> {
  const seen = await surfacesOf(text);
  const marks = (markdown: string) => new Set(liveMarkup(markdown));
  const usualMarks = marks(usual.dashboard);
  const live = [...marks(seen.dashboard)].filter((name) => !usualMarks.has(name));
  const body = seen.postMortem.replace(/^---\n[\s\S]*?\n---\n/, "");
  return [
    ...(seen.elements === usual.elements ? [] : ["I7: the elements of a page changed"]),
    ...(seen.terminal.some((line) => /\p{C}/u.test(line)) ? ["I7: a control sign reaches the terminal"] : []),
    ...(seen.terminal.length === usual.terminal.length ? [] : ["I7: the text made lines of its own in a terminal"]),
    ...live.map((name) => `I7: ${name} is live on the dashboard`),
    ...(readTicked(seen.dashboard).length > 0 ? ["I5: the text ticked a box on the dashboard"] : []),
    ...liveInFile(body).map((name) => `I7: ${name} is live in a post-mortem of nothing but the text`),
    ...recordBreaches(seen.postMortem),
  ];
}

/** The record reads back as what code wrote: no text changes its outcome, its workload or its seal. */
function recordBreaches(markdown: string): string[] {
  const front = parseYaml(frontMatterOf(markdown) ?? "");
  const read = front.ok ? readPostMortem(markdown, front.value) : undefined;
  if (read?.kind !== "post-mortem") return ["I3: the text made a post-mortem unreadable"];
  const { postMortem, seal } = read;
  const { outcome, workload, remedy } = postMortem;
  const kept = outcome === "not-tried" && workload.name === "web" && remedy === null;
  return kept && seal === sealOf(postMortem, sealKey) ? [] : ["I3: the text changed what a post-mortem records"];
}
