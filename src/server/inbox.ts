import type { Durable } from "../adapters/dbos/durable.ts";
import type { Claimed } from "../adapters/postgres/incidents/inbox.ts";
import type { Store } from "../adapters/postgres/store.ts";
import type { App } from "./github-app.ts";
import type { Candidate } from "../domain/proposal/caps.ts";
import { workloadKey } from "../domain/kubernetes/workload.ts";
import type { Alerts, Concerns } from "../ports/monitoring.ts";
import type { Message } from "../ports/workflow.ts";
import type { Telemetry } from "../ports/runtime.ts";
import { onceAtATime, pausing } from "../adapters/http/repeat.ts";
import { nothingDoubted, pollAlerts, takeActive } from "./intake/poll-alerts.ts";
import { type Settling, settleAlerts, settleGitHub } from "./intake/settle-deliveries.ts";

interface InboxOptions {
  readonly store: Store;
  readonly durable: Durable;
  readonly alerts: Alerts;
  readonly concerns: Concerns;
  readonly telemetry: Telemetry;
  readonly cluster: string;
  /** Whose the claims on deliveries are: no two processes share it. */
  readonly holder: string;
  /** Hears what is said under a proposal that no workflow waits for any more. */
  readonly runLateCommand: (pull: number, message: Extract<Message, { kind: "command" }>) => Promise<void>;
  /** Built late: the App itself wakes workflows through this inbox. */
  readonly app: () => Pick<App, "receive">;
  /** A round over the inbox failed, for metrics. */
  readonly failed?: () => void;
}

/** Turns accepted deliveries into incidents and wake-ups: the highest severity and the newest first. */
export interface Inbox {
  /** Something was accepted: look now. */
  notify(): void;
  /** Asks Alertmanager itself, for what webhooks lost. */
  poll(): Promise<void>;
  wake(pull: number, message: Message, key: string): Promise<void>;
  /** Wakes the workflows whose turn it is now, each once as long as it stays so. */
  wakeWaiting(ready: readonly Candidate[]): Promise<void>;
  /** Why accepted deliveries are not read just now; undefined while they are. */
  trouble(): string | undefined;
  close(): Promise<void>;
}

const idleLookMs = 1_000;
const alertsAtOnce = 60;

export function openInbox(options: InboxOptions): Inbox {
  const { store, durable, cluster, holder } = options;
  const doubted = nothingDoubted();
  const poll = () => pollAlerts(options, doubted);
  const asking = askedOnce(options);
  const settling: Settling = {
    ...{ store, durable, cluster, concerns: options.concerns, telemetry: options.telemetry },
    receive: (delivery) => options.app().receive(delivery),
    askSoon: asking.ask,
  };
  const claim = claimsOf(store, holder);
  const readers = [
    reader(options, async () => {
      const claimed = await claim("alerts", alertsAtOnce);
      await settleAlerts(settling, claimed);
      return claimed.length;
    }),
    reader(options, async () => {
      // One at a time: what waits behind a slow answer of GitHub may go to another process.
      const claimed = await claim("github", 1);
      for (const delivery of claimed) await settleGitHub(settling, delivery);
      return claimed.length;
    }),
  ];
  let woken: ReadonlySet<string> = new Set();
  return {
    notify: () => readers.forEach((each) => each.notify()),
    poll,
    trouble: () => readers.map((each) => each.trouble()).find((because) => because !== undefined),
    wake: async (pull, message, key) => {
      const workflow = await store.workflowOfPull(pull);
      if (workflow === undefined) return;
      await durable.send(workflow, message, key);
      if (message.kind === "command") await options.runLateCommand(pull, message);
    },
    wakeWaiting: async (ready) => {
      const before = woken;
      woken = new Set(ready.map(({ incident }) => incident));
      for (const { incident, workload } of ready) {
        if (before.has(incident)) continue;
        const current = await store.openIncidentOf(workloadKey(workload), cluster);
        if (current) await durable.send(current.workflow, { kind: "turn" }, `turn/${incident}/${Date.now()}`);
      }
    },
    close: async () => {
      await Promise.all(readers.map((each) => each.close()));
      await asking.done();
    },
  };
}

/**
 * One question answers for every group that was cut off meanwhile. It only takes in what fires: two of them may follow each
 * other at once, and what two polls in a row say is believed.
 */
function askedOnce(options: InboxOptions) {
  const tell = (error: Error) => options.telemetry.log("", "intake", error.message);
  const asked = onceAtATime(() => takeActive(options).then(() => undefined, tell));
  return { ask: () => void asked.run(), done: asked.ended };
}

/** What this holder had claimed before its last end is free at once. */
function claimsOf(store: Store, holder: string) {
  let released: Promise<void> | undefined;
  return async (kind: Claimed["kind"], limit: number) => {
    released ??= store.releaseClaims(holder);
    await released.catch((error) => {
      released = undefined;
      throw error;
    });
    // GitHub's events wake workflows wherever they are: whoever comes first takes them.
    if (kind === "github") return store.claim(kind, holder, limit);
    return store.claim(kind, holder, limit, await store.shareOf(holder));
  };
}

interface Reader {
  notify(): void;
  trouble(): string | undefined;
  close(): Promise<void>;
}

const longestPauseMs = 5_000;

/** Does rounds until one finds nothing, then waits to be rung. A round that fails is told, counted and tried again. */
function reader({ telemetry, failed }: InboxOptions, round: () => Promise<number>): Reader {
  let open = true;
  let rung = false;
  let trouble: string | undefined;
  let failures = 0;
  const { pause, wake } = pausing();
  const onFailure = (error: unknown) => {
    const because = error instanceof Error ? error.message : String(error);
    if (trouble === undefined) telemetry.log("", "intake", `the inbox cannot be read: ${because}`);
    trouble = because;
    failures += 1;
    failed?.();
    return "failed" as const;
  };
  const loop = (async () => {
    while (open) {
      const settled = await round().catch(onFailure);
      if (settled === "failed") {
        await pause(Math.random() * Math.min(longestPauseMs, 100 * 2 ** Math.min(failures, 10)));
        continue;
      }
      if (trouble !== undefined) telemetry.log("", "intake", `the inbox is read again, after ${failures} failures`);
      trouble = undefined;
      failures = 0;
      const again = settled > 0 || rung;
      rung = false;
      if (!again) await pause(idleLookMs);
    }
  })();
  return {
    notify: () => {
      rung = true;
      if (trouble === undefined) wake();
    },
    trouble: () => trouble,
    close: async () => {
      open = false;
      wake();
      await loop;
    },
  };
}
