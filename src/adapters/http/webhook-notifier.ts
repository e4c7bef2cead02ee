import { createHmac } from "node:crypto";
import { readFile } from "node:fs/promises";
import { type Notice, noticeId, payloadOf, slackBodyOf } from "../../domain/proposal/notice.ts";
import type { Notifier } from "../../ports/runtime.ts";

/** Where notices go. Addresses come from the installation alone: no repository and no alert can name one. */
export interface WebhookOptions {
  /** A file with the address of an incoming webhook, which is a secret itself. */
  readonly slackUrlPath: string | undefined;
  readonly url: string | undefined;
  /** A file with the key by which the generic webhook is signed. */
  readonly secretPath: string | undefined;
  readonly now: () => Date;
  /** 0 to 1. */
  readonly chance: () => number;
  readonly wait: (milliseconds: number) => Promise<void>;
  readonly warn: (text: string) => void;
}

/** The clock, chance and waiting of a process that runs. */
export const realTime = {
  now: () => new Date(),
  chance: () => Math.random(),
  // An unsent notice keeps no process alive.
  wait: (milliseconds: number) => new Promise<void>((done) => void setTimeout(done, milliseconds).unref()),
};

const mostTries = 5;
const firstPauseMs = 1_000;
const longestPauseMs = 60_000;
const deadlineMs = 10_000;
const mostRemembered = 1_000;

/**
 * Tells people by webhooks, in the background: no step waits for them, and none fails because nobody listens. What may
 * pass (no answer, 429, 5xx) is tried again with full jitter; redirects are not followed.
 */
export function webhookNotifier(options: WebhookOptions): Notifier & { settled(): Promise<void> } {
  const told = new Set<string>();
  const running = new Set<Promise<void>>();
  return {
    tell: (notice, channels) => {
      for (const channel of channels) {
        const key = `${channel}/${noticeId(notice)}`;
        // A step that is repeated tells nobody twice.
        if (told.has(key)) continue;
        if (told.size >= mostRemembered) told.clear();
        told.add(key);
        const sending = deliver(channel, notice, options).catch(() => options.warn(`${channel}: could not be told`));
        running.add(sending);
        void sending.finally(() => running.delete(sending));
      }
    },
    settled: async () => {
      await Promise.all(running);
    },
  };
}

async function deliver(channel: "slack" | "webhook", notice: Notice, options: WebhookOptions): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    const failure = await attemptOf(channel, notice, options);
    if (failure === undefined) return;
    if (!failure.mayPass || attempt === mostTries) {
      options.warn(`${channel}: ${failure.because}, given up after ${attempt} ${attempt === 1 ? "try" : "tries"}`);
      return;
    }
    await options.wait(options.chance() * Math.min(longestPauseMs, firstPauseMs * 2 ** (attempt - 1)));
  }
}

interface Failure {
  /** Without the address: it may be a secret. */
  readonly because: string;
  readonly mayPass: boolean;
}

async function attemptOf(
  channel: "slack" | "webhook",
  notice: Notice,
  options: WebhookOptions,
): Promise<Failure | undefined> {
  const request = channel === "slack" ? await slackRequest(notice, options) : await signedRequest(notice, options);
  if (typeof request === "string") return { because: request, mayPass: false };
  try {
    const signal = AbortSignal.timeout(deadlineMs);
    const response = await fetch(request.url, { ...request.init, method: "POST", redirect: "manual", signal });
    await response.body?.cancel();
    if (response.ok) return undefined;
    const { status } = response;
    return { because: `answered ${status}`, mayPass: status === 429 || status >= 500 };
  } catch {
    return { because: "no answer", mayPass: true };
  }
}

interface Request {
  readonly url: string;
  readonly init: { readonly headers: Record<string, string>; readonly body: string };
}

async function slackRequest(notice: Notice, { slackUrlPath }: WebhookOptions): Promise<Request | string> {
  if (slackUrlPath === undefined) return "NOTIFY_SLACK_URL_PATH is not set";
  const url = await secretIn(slackUrlPath);
  if (url === undefined || !isSafe(url)) return "NOTIFY_SLACK_URL_PATH holds no https address";
  return { url, init: { headers: json, body: JSON.stringify(slackBodyOf(notice)) } };
}

/** The signature is over time and body, so that neither can be changed and an old one is known as old. */
async function signedRequest(notice: Notice, { url, secretPath, now }: WebhookOptions): Promise<Request | string> {
  if (url === undefined || secretPath === undefined)
    return "NOTIFY_WEBHOOK_URL and NOTIFY_WEBHOOK_SECRET_PATH are not set";
  if (!isSafe(url)) return "NOTIFY_WEBHOOK_URL is no https address";
  const secret = await secretIn(secretPath);
  if (secret === undefined) return "NOTIFY_WEBHOOK_SECRET_PATH cannot be read";
  const body = JSON.stringify(payloadOf(notice));
  const at = String(Math.floor(now().getTime() / 1000));
  const signature = createHmac("sha256", secret).update(`${at}.${body}`).digest("hex");
  const headers = {
    ...json,
    "x-rectify-delivery": noticeId(notice),
    "x-rectify-timestamp": at,
    "x-rectify-signature": `sha256=${signature}`,
  };
  return { url, init: { headers, body } };
}

const json = { "content-type": "application/json" };

/** Https, except on this machine. */
function isSafe(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === "https:" || (protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname));
}

async function secretIn(path: string): Promise<string | undefined> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.trim() === "" ? undefined : text.trim();
}
