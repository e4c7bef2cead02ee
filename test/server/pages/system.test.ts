import { afterEach, expect, test } from "vitest";
import { listen } from "../../../src/adapters/http/listener.ts";
import type { Candidate } from "../../../src/domain/proposal/caps.ts";
import { newWatchtower } from "../../../src/domain/guardrails/watchtower.ts";
import { isLiveClass } from "../../../src/domain/backtest/switching.ts";
import { openSources } from "../../../src/server/observability/source-health.ts";
import { pageRoutes } from "../../../src/server/pages/routes.ts";
import type { ProposalsView, SystemView } from "../../../src/server/pages/system.ts";
import { aPastRecord } from "../../past-record.ts";

const evil = `<script>alert("x")</script>`;
const now = new Date("2026-11-25T13:00:00Z");
const candidate: Candidate = {
  ...{ incident: "5b0c1f4e-9a3d-5c7e-8f21-000000000001/revert", alert: `Hot ${evil}`, severity: "warning" },
  workload: { kind: "Deployment", namespace: "shop", name: "web" },
  ...{ startedAt: "2026-11-25T12:30:00Z", summary: `scale ${evil}` },
};
const limits = { maxOpenPulls: 5, maxPullsPerHour: 10, exemptSeverities: ["critical"] };
const proposals: ProposalsView = {
  ...{ kind: "known", limits, used: { open: 5, lastHour: 2 }, ready: [] },
  open: [{ pull: 12, workload: candidate.workload, summary: `scale ${evil}` }],
  listed: [{ candidate, because: `5 pull requests are open ${evil}`, refused: [`not you ${evil}`] }],
};

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

/** The page as it is served. */
async function shown(view: Partial<SystemView>): Promise<string> {
  const system = async (): Promise<SystemView> => ({
    watchtower: newWatchtower(now.getTime()),
    proposals,
    sources: [],
    unplaced: [],
    ...view,
  });
  const store = { waitingCount: async () => 3, parkedDeliveries: async () => [] } as unknown as Parameters<
    typeof pageRoutes
  >[0];
  const server = await listen(pageRoutes(store, { system }), { host: "127.0.0.1", port: 0 });
  closing.push(server.close);
  return (await fetch(`http://127.0.0.1:${server.port}/system`)).text();
}

/** Without tags, and every run of space as one. */
const words = (text: string) =>
  text
    .slice(text.indexOf("<main>"))
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");

test("a page shows no control and no bidirectional character of others", async () => {
  const open = [{ pull: 12, workload: candidate.workload, summary: "scale\u202e web\u2066 to\u0007 4\u001b[31m" }];
  const text = await shown({ proposals: { ...proposals, open } as ProposalsView });
  expect(text).toContain("scale web to 4[31m");
  expect(text).not.toMatch(/[\u202a-\u202e\u2066-\u2069\u0007\u001b]/);
});

test("the page tells what is open against the caps, what waits and why, and how much is unread", async () => {
  const text = words(await shown({}));
  expect(text).toContain("5 of 5 open, 2 of 10 opened within the hour. The caps do not hold back: critical.");
  expect(text).toMatch(/#12 shop\/Deployment\/web scale/);
  expect(text).toMatch(/Hot .* warning shop\/Deployment\/web 5 pull requests are open .* 2026-11-25 12:30:00/);
  expect(text).toMatch(/Not opened now: not you/);
  expect(text).toContain("3 deliveries wait in the inbox.");
});

test("a cap that is reached is marked, one that is not is not", async () => {
  const text = await shown({});
  expect(text).toContain('<strong class="wait">5 of 5</strong>');
  expect(text).toContain('<strong class="">2 of 10</strong>');
});

test("a change that waits leads to its incident, a revert too", async () => {
  expect(await shown({})).toContain('href="/incidents/5b0c1f4e-9a3d-5c7e-8f21-000000000001"');
});

test("guardrails that nobody could read are no number", async () => {
  const text = words(await shown({ proposals: { kind: "unknown", because: `line 3: ${evil}` } }));
  expect(text).toContain("Not known: line 3: &lt;script&gt;");
  expect(text).not.toMatch(/\d of \d/);
});

test("Watchtower mode is told with its reasons and since when", async () => {
  const watchtower = {
    ...newWatchtower(now.getTime()),
    mode: "watching" as const,
    reasons: ["the guardrails cannot be read"],
  };
  const text = words(await shown({ watchtower }));
  expect(text).toContain("Watchtower watching the guardrails cannot be read. No change is proposed");
  expect(text).toContain("So since 2026-11-25 13:00:00 UTC; model optional by the guardrails;");
  expect(words(await shown({}))).toContain("Watchtower acting changes are proposed.");
});

test("each source is shown with its last answer, its last error without secrets, and since when", async () => {
  let at = now;
  const sources = openSources({ now: () => at }, (text) => text.replace("hunter2", "«masked»"));
  sources.record("Prometheus", { kind: "answers" });
  at = new Date("2026-11-25T13:05:00Z");
  sources.record("Prometheus", { kind: "silent", because: `no answer ${evil} hunter2` });
  sources.describe("Kyverno CLI", "1.19.1 at /usr/bin/kyverno");
  sources.absent("Loki", "LOKI_URL is not set");
  const page = await shown({ sources: sources.all() });
  const text = words(page);
  expect(text).toMatch(
    /Prometheus no answer 2026-11-25 13:05:00 no answer &lt;.* 2026-11-25 13:05:00 2026-11-25 13:00:00 /,
  );
  expect(text).toContain("Kyverno CLI not asked yet 1.19.1 at /usr/bin/kyverno");
  expect(text).toContain("Loki absent LOKI_URL is not set");
  expect(text).toContain("«masked»");
  expect(page).not.toMatch(/<script|hunter2/);
});

test("alerts that lead nowhere are shown with their labels and the line that would map them", async () => {
  const line = 'alerts: [{ alert: "QueueDepth", workload: "{namespace}/Deployment/NAME" }]';
  const lost = { name: "QueueDepth", kind: "nobody" as const, times: 7, because: `it names nothing ${evil}`, line };
  const text = await shown({ unplaced: [{ ...lost, labels: { queue: evil }, lastSeen: now.toISOString() }] });
  expect(text).not.toContain(evil);
  expect(words(text)).toContain("Alerts without a workload (1)");
  expect(words(text)).toMatch(/QueueDepth queue=.* 7 it names nothing/);
  expect(words(text)).toContain("{namespace}/Deployment/NAME");
});

test("the page tells what shadow mode came to, what has earned to be live, and what the others lack", async () => {
  const earned = Array.from({ length: 3 }, (_, index) => aPastRecord("earlier", { uid: String(index) }));
  const doubtful = aPastRecord("different", { uid: "9", alert: `Hot ${evil}`, workload: "shop/Deployment/cart" });
  const editor = "https://github.example/acme/shop/edit/main/.github/rectify.yml";
  const shadow = { since: "2026-11-01T00:00:00.000Z", records: [...earned, doubtful], editor };
  const page = await shown({ shadow });
  expect(words(page)).toContain("Shadow mode (4) Since 2026-11-01: 3 earlier 1 different");
  expect(words(page)).toMatch(/HighLatency shop\/Deployment\/web 3 3 0 10 min earned: - \{ namespace: shop, /);
  expect(words(page)).toMatch(/Hot .* shop\/Deployment\/cart 1 0 1 once people did something else/);
  expect(page).toContain(`href="${editor}"`);
  const modes = { mode: "shadow", modes: [{ namespace: "shop", alert: "HighLatency", mode: "live" }] } as const;
  const switched = words(await shown({ shadow: { ...shadow, isLive: (row) => isLiveClass(modes, row) } }));
  expect(switched).toMatch(/HighLatency shop\/Deployment\/web 3 3 0 10 min live by now/);
  expect(switched).toContain("once people did something else");
  expect(page).not.toContain(evil);
  expect(words(await shown({ shadow: { ...shadow, records: [] } }))).not.toContain("Shadow mode");
});
