import { createHmac, randomUUID } from "node:crypto";
import type { ForgeApp } from "./world.ts";

/** One webhook as it left the forge. */
export interface Delivery {
  /** The `X-GitHub-Delivery` header; a redelivery keeps it. */
  readonly id: string;
  readonly number: number;
  readonly event: string;
  readonly action: string | undefined;
  readonly deliveredAt: string;
  readonly redelivery: boolean;
  readonly body: string;
  /** The receiver's answer; 0 when there was none, undefined while it is under way. */
  status: number | undefined;
}

export interface Webhooks {
  readonly deliveries: readonly Delivery[];
  setUrl(url: string | undefined): void;
  send(event: string, payload: Readonly<Record<string, unknown>>): void;
  /** Sends a delivery again under its old id. False when the id is unknown. */
  redeliver(id: string): Promise<boolean>;
  /** Waits until everything sent has been answered. */
  settled(): Promise<void>;
}

// GitHub gives a receiver ten seconds.
const deadlineMs = 10_000;

/** Sends without waiting and never twice by itself, as GitHub does. */
export function webhooksOf(app: ForgeApp, now: () => string): Webhooks {
  const deliveries: Delivery[] = [];
  const underWay = new Set<Promise<void>>();
  let url = app.webhookUrl;

  const deliver = (delivery: Delivery): Promise<void> => {
    deliveries.push(delivery);
    const sending = post(app, url, delivery).finally(() => underWay.delete(sending));
    underWay.add(sending);
    return sending;
  };

  return {
    deliveries,
    setUrl: (to) => {
      url = to;
    },
    send: (event, payload) => {
      const action = typeof payload.action === "string" ? payload.action : undefined;
      const body = JSON.stringify(payload);
      const about = { id: randomUUID(), number: deliveries.length + 1, event, action, body };
      void deliver({ ...about, deliveredAt: now(), redelivery: false, status: undefined });
    },
    redeliver: async (id) => {
      const first = deliveries.find((delivery) => delivery.id === id);
      if (!first) return false;
      const again = { ...first, number: deliveries.length + 1, deliveredAt: now(), redelivery: true };
      await deliver({ ...again, status: undefined });
      return true;
    },
    settled: async () => {
      while (underWay.size > 0) await Promise.all(underWay);
    },
  };
}

async function post(app: ForgeApp, url: string | undefined, delivery: Delivery): Promise<void> {
  if (url === undefined) {
    delivery.status = 0;
    return;
  }
  const headers = {
    "content-type": "application/json",
    "user-agent": "GitHub-Hookshot/forge",
    "x-github-event": delivery.event,
    "x-github-delivery": delivery.id,
    "x-github-hook-id": "1",
    "x-github-hook-installation-target-type": "integration",
    "x-github-hook-installation-target-id": String(app.id),
    "x-hub-signature-256": `sha256=${createHmac("sha256", app.webhookSecret).update(delivery.body).digest("hex")}`,
  };
  try {
    const signal = AbortSignal.timeout(deadlineMs);
    const response = await fetch(url, { method: "POST", headers, body: delivery.body, signal });
    await response.arrayBuffer();
    delivery.status = response.status;
  } catch {
    delivery.status = 0;
  }
}
