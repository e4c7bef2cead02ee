import { oncePer } from "../metrics/once-per.ts";
import type { Labels } from "../metrics/series-store.ts";

export interface AlertWebhook {
  readonly url: string;
  readonly token: string;
}

/** An alert as Alertmanager holds it; times in Unix milliseconds. */
export interface HeldAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly fingerprint: string;
  readonly startsAt: number;
  readonly endsAt: number | undefined;
  readonly generatorURL: string;
}

interface Notification {
  readonly key: string;
  readonly labels: Labels;
  readonly alerts: ReadonlyMap<string, HeldAlert>;
}

/** The body of webhook version 4: https://prometheus.io/docs/alerting/latest/configuration/#webhook_config */
export function payloadOf(group: Notification, externalUrl: string): object {
  const alerts = [...group.alerts.values()].map(
    ({ endsAt, startsAt, labels, annotations, generatorURL, fingerprint }) => ({
      status: endsAt === undefined ? "firing" : "resolved",
      ...{ labels, annotations, startsAt: iso(startsAt) },
      endsAt: endsAt === undefined ? "0001-01-01T00:00:00Z" : iso(endsAt),
      ...{ generatorURL, fingerprint },
    }),
  );
  return {
    version: "4",
    groupKey: group.key,
    truncatedAlerts: 0,
    status: alerts.some((alert) => alert.status === "firing") ? "firing" : "resolved",
    receiver: "rectify",
    groupLabels: group.labels,
    commonLabels: commonOf(alerts.map((alert) => alert.labels)),
    commonAnnotations: commonOf(alerts.map((alert) => alert.annotations)),
    externalURL: externalUrl,
    alerts,
  };
}

function commonOf([first = {}, ...others]: readonly Labels[]): Labels {
  return Object.fromEntries(
    Object.entries(first).filter(([name, value]) => others.every((labels) => labels[name] === value)),
  );
}

export function iso(atMs: number): string {
  return new Date(atMs).toISOString();
}

const attempts = 5;

/** One notification of one peer. */
export async function post({ url, token }: AlertWebhook, body: string, stopped: AbortSignal): Promise<void> {
  const headers = {
    "content-type": "application/json",
    authorization: `Bearer ${token}`,
    "user-agent": "Alertmanager/0.28.0",
  };
  for (let attempt = 0; attempt < attempts && !stopped.aborted; attempt += 1) {
    const signal = AbortSignal.any([stopped, AbortSignal.timeout(10_000)]);
    const status = await fetch(url, { method: "POST", headers, body, signal }).then(
      (response) => response.status,
      () => 599,
    );
    if (status < 500) return;
    await new Promise((resume) => setTimeout(resume, 100 * 2 ** attempt));
  }
}

/** FNV-1a over the sorted labels, as Prometheus' `LabelSet.Fingerprint`. */
export const fingerprintOf = oncePer((labels: Labels): string => {
  let sum = 14_695_981_039_346_656_037n;
  const add = (bytes: Uint8Array) => {
    for (const byte of bytes) sum = BigInt.asUintN(64, (sum ^ BigInt(byte)) * 1_099_511_628_211n);
  };
  const separator = Uint8Array.of(255);
  const text = new TextEncoder();
  for (const name of Object.keys(labels).sort()) {
    add(text.encode(name));
    add(separator);
    add(text.encode(labels[name] ?? ""));
    add(separator);
  }
  return sum.toString(16).padStart(16, "0");
});
