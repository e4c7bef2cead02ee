import { afterAll, beforeAll, expect, test } from "vitest";
import { listen } from "../../../src/adapters/http/listener.ts";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import { capsuleOf, renderCapsule } from "../../../src/domain/records/capsule.ts";
import { evidenceOf } from "../../../src/domain/evidence/evidence.ts";
import { createHash } from "node:crypto";
import { pageRoutes } from "../../../src/server/pages/routes.ts";
import { anIncident } from "../../builders.ts";
import { migratedDatabase } from "../../postgres.ts";

const evil = `<script>alert("x")</script><img src=x onerror=alert(1)>`;
const incident = anIncident({ name: `Hot ${evil}` });
const when = { from: "2026-11-24T01:30:00Z", to: "2026-11-24T02:00:00Z" };
const metric = evidenceOf("E1", {
  ...{ source: "prometheus", key: "alert-metric", title: `p99 ${evil}`, query: `up{a="${evil}"}`, ...when },
  finding: {
    kind: "series",
    unit: "ms",
    series: [
      {
        labels: {},
        points: [
          [0, 1],
          [60, 9],
        ],
      },
    ],
    notes: [],
  },
});

let store: Store;
let at: string;
let close: () => Promise<void>;
beforeAll(async () => {
  store = await openStore(await migratedDatabase());
  const server = await listen(pageRoutes(store), { host: "127.0.0.1", port: 0 });
  at = `http://127.0.0.1:${server.port}`;
  close = server.close;
});
afterAll(async () => {
  await close();
  await store.close();
});

test.each([
  ["/", "No incident yet"],
  ["/audit", "Nothing was written yet"],
  ["/system", "0 deliveries wait"],
])("%s of a fresh start says that there is nothing", async (path, text) => {
  expect(await (await fetch(at + path)).text()).toContain(text);
});

test("what nobody knows is a page that leads back", async () => {
  const answer = await fetch(`${at}/incidents/${encodeURIComponent(evil)}`);
  expect(answer.status).toBe(404);
  expect(await answer.text()).toMatch(/Nothing is on record here\. <a href="\/">/);
});

test("an incident whose every text is hostile is shown as text, with chart, lineage and costs", async () => {
  await store.recordIncident(incident);
  await store.recordEvent(incident.uid, "collect", evil);
  const capsule = capsuleOf(incident, [metric], { at: when.to, versions: {} });
  await store.saveCapsule(incident.uid, renderCapsule(capsule));
  await store.addStepCost(incident.uid, {
    ...{ step: "collect", durationMs: 1200, githubCalls: 3, promptTokens: 0, answerTokens: 0 },
  });
  await store.addExchange(incident.uid, {
    ...{ at: when.to, model: "m", digest: "d", prompt: `read ${evil}\u0000`, answer: evil },
    ...{ promptTokens: 10, answerTokens: 2, durationMs: 30 },
  });
  const answer = await fetch(`${at}/incidents/${incident.uid}`);
  const text = await answer.text();
  expect(text).not.toMatch(/<script|<img/i);
  expect(text).toContain("&lt;script&gt;");
  expect(text).toMatch(/<polyline class="line" points="[\d., ]+"/);
  expect(text).toContain("1.2 s, 3 GitHub calls");
  expect(text).toContain(`href="/incidents/${incident.uid}/capsule"`);
  expect(await (await fetch(at)).text()).toContain(`href="/incidents/${incident.uid}"`);
});

test("the policy allows the page's own style and nothing else", async () => {
  const answer = await fetch(at);
  const policy = answer.headers.get("content-security-policy") ?? "";
  const style = /<style>([\s\S]*?)<\/style>/.exec(await answer.text())?.[1] ?? "";
  expect(policy).toContain(`style-src 'sha256-${createHash("sha256").update(style).digest("base64")}'`);
  expect(policy).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
  expect(policy).not.toContain("unsafe");
  expect(answer.headers.get("x-content-type-options")).toBe("nosniff");
});
