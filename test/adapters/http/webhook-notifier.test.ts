import { createHmac } from "node:crypto";
import { writeFileSync } from "node:fs";
import { createServer, type IncomingHttpHeaders } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, expect, test } from "vitest";
import { webhookNotifier, type WebhookOptions } from "../../../src/adapters/http/webhook-notifier.ts";
import type { Notice } from "../../../src/domain/proposal/notice.ts";
import { anIncident } from "../../builders.ts";
import { scratchDirectory } from "../../scratch.ts";

interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const open: (() => void)[] = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** A server on this machine that answers in turn, the last answer from then on. */
async function listening(...answers: readonly number[]) {
  const received: Received[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      received.push({ headers: request.headers, body: Buffer.concat(parts).toString() });
      const status = answers[Math.min(received.length, answers.length) - 1] ?? 200;
      response.writeHead(status, status === 302 ? { location: "http://127.0.0.1:1/elsewhere" } : {}).end();
    });
  });
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  open.push(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`, received };
}

function file(text: string): string {
  const path = join(scratchDirectory(), "secret");
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const now = new Date("2026-11-24T02:00:00Z");
const notice: Notice = {
  kind: "proposed",
  incident: anIncident(),
  text: "Scale web from 3 to 5 replicas <!channel> @here",
  pull: { number: 7, url: "https://github.com/acme/shop/pull/7" },
};

function notifier(options: Partial<WebhookOptions>) {
  const warnings: string[] = [];
  const waits: number[] = [];
  const wait = async (milliseconds: number) => void waits.push(milliseconds);
  const unset = { slackUrlPath: undefined, url: undefined, secretPath: undefined };
  const made = webhookNotifier({
    ...{ ...unset, now: () => now, chance: () => 0.5, wait, warn: (text: string) => void warnings.push(text) },
    ...options,
  });
  return { made, warnings, waits };
}

test("the generic webhook gets a versioned payload that is signed over time and body", async () => {
  const { url, received } = await listening(200);
  const { made } = notifier({ url, secretPath: file("a key of the receiver\n") });
  made.tell(notice, ["webhook"]);
  await made.settled();
  const [{ headers, body } = { headers: {}, body: "" }] = received;
  expect(JSON.parse(body)).toMatchObject({
    ...{ version: "1", kind: "proposed", id: `${notice.incident.uid}/proposed/7` },
    incident: { uid: notice.incident.uid, severity: "critical", workload: "shop-production/Deployment/web" },
    pullRequest: { number: 7, url: "https://github.com/acme/shop/pull/7" },
  });
  const at = String(headers["x-rectify-timestamp"]);
  expect(at).toBe(String(now.getTime() / 1000));
  const signature = createHmac("sha256", "a key of the receiver").update(`${at}.${body}`).digest("hex");
  expect(headers["x-rectify-signature"]).toBe(`sha256=${signature}`);
});

test("Slack gets text that calls nobody, whatever an alert is called", async () => {
  const { url, received } = await listening(200);
  const { made } = notifier({ slackUrlPath: file(url) });
  made.tell(notice, ["slack"]);
  await made.settled();
  const { text } = JSON.parse(received[0]?.body ?? "{}") as { text: string };
  expect(text).toContain("<https://github.com/acme/shop/pull/7|#7> Scale web from 3 to 5 replicas &lt;!channel&gt;");
  expect(text).not.toMatch(/@here|<!/);
});

test("what may pass is tried again after waits of full jitter, the same notice once only", async () => {
  const { url, received } = await listening(503, 429, 200);
  const { made, waits, warnings } = notifier({ slackUrlPath: file(url) });
  made.tell(notice, ["slack"]);
  made.tell(notice, ["slack"]);
  await made.settled();
  expect([received.length, waits, warnings]).toEqual([3, [500, 1000], []]);
});

test.each([
  ["a clear no", 404, "slack: answered 404, given up after 1 try"],
  ["a redirect, which is not followed", 302, "slack: answered 302, given up after 1 try"],
  ["no end of trouble", 500, "slack: answered 500, given up after 5 tries"],
])("%s is given up, and told without the address", async (_, status, warning) => {
  const { url, received } = await listening(status);
  const { made, warnings } = notifier({ slackUrlPath: file(url) });
  made.tell(notice, ["slack"]);
  await made.settled();
  expect(warnings).toEqual([warning]);
  expect(received.length).toBe(status === 500 ? 5 : 1);
});

test.each([
  ["http to another machine", () => ({ slackUrlPath: file("http://hooks.example/x") }), "slack", /no https address/],
  ["a file that is not there", () => ({ slackUrlPath: "/nowhere/at/all" }), "slack", /no https address/],
  ["no key", () => ({ url: "http://127.0.0.1:9/x" }), "webhook", /NOTIFY_WEBHOOK_SECRET_PATH/],
  ["nothing set", () => ({}), "webhook", /are not set/],
] as const)("%s sends nothing, and says so", async (_, options, channel, words) => {
  const { made, warnings } = notifier(options());
  made.tell(notice, [channel]);
  await made.settled();
  expect(warnings).toEqual([expect.stringMatching(words)]);
});
