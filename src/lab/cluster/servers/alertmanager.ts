import { type AlertWebhook, fingerprintOf, type HeldAlert, iso, payloadOf, post } from "./alert-webhook.ts";
import type { ActiveAlert } from "../metrics/rules.ts";
import type { Labels } from "../metrics/series-store.ts";

interface AlertmanagerOptions {
  readonly groupBy: readonly string[];
  readonly groupWaitMs: number;
  readonly groupIntervalMs: number;
  readonly repeatMs: number;
  /** How many high-availability peers send each notification. */
  readonly peers: number;
  readonly externalUrl: string;
  readonly generatorUrl: (rule: string) => string;
}

interface Group {
  readonly key: string;
  readonly labels: Labels;
  readonly openedAt: number;
  readonly alerts: Map<string, HeldAlert>;
  notifiedAt: number | undefined;
  notifiedState: string;
}

interface State {
  readonly options: AlertmanagerOptions;
  readonly groups: Map<string, Group>;
  readonly stopped: AbortController;
  /** What is being sent, by group key: one notification of a group at a time. */
  readonly sending: Map<string, Promise<void>>;
  webhook: AlertWebhook | undefined;
}

interface SimulatedAlertmanager {
  setWebhook(webhook: AlertWebhook | undefined): void;
  /** Takes what Prometheus sends, and notifies where a group is due. */
  update(firing: readonly ActiveAlert[], atMs: number): void;
  /** The answer of `GET /api/v2/alerts`. */
  active(atMs: number): object[];
  /** The answer of `GET /api/v2/status`, with the configuration as text. */
  status(): object;
  /** Resolves when nothing is being sent. */
  settled(): Promise<void>;
  stop(): void;
}

/** Groups alerts, notifies by webhook, and repeats. Retries on 5xx and a broken connection only, as Alertmanager does. */
export function createAlertmanager(options: AlertmanagerOptions): SimulatedAlertmanager {
  const state: State = {
    ...{ options, groups: new Map(), stopped: new AbortController(), sending: new Map(), webhook: undefined },
  };
  return {
    setWebhook: (target) => {
      state.webhook = target;
    },
    update: (firing, atMs) => {
      resolveOthers(state, new Set(firing.map((alert) => fingerprintOf(alert.labels))), atMs);
      for (const alert of firing) hold(state, alert);
      for (const group of [...state.groups.values()]) notify(state, group, atMs);
    },
    active: (atMs) =>
      [...state.groups.values()]
        .flatMap((group) => [...group.alerts.values()])
        .filter(({ endsAt }) => endsAt === undefined)
        .map((alert) => shown(alert, atMs)),
    status: () => statusOf(state),
    settled: async () => {
      await Promise.all(state.sending.values());
    },
    stop: () => state.stopped.abort(),
  };
}

function statusOf({ options, webhook }: State): object {
  const webhooks = webhook === undefined ? [] : [{ url: webhook.url, send_resolved: true }];
  const original = JSON.stringify({
    route: { receiver: "rectify", group_by: options.groupBy },
    receivers: [{ name: "rectify", webhook_configs: webhooks }],
  });
  return { config: { original }, uptime: iso(0), versionInfo: { version: "lab" } };
}

function hold({ options, groups }: State, alert: ActiveAlert): void {
  const { key, labels } = groupOf(alert.labels, options.groupBy);
  const startsAt = alert.firedAt ?? alert.activeAt;
  const fresh = { key, labels, openedAt: startsAt, alerts: new Map(), notifiedAt: undefined, notifiedState: "" };
  const group: Group = groups.get(key) ?? fresh;
  groups.set(key, group);
  const fingerprint = fingerprintOf(alert.labels);
  group.alerts.set(fingerprint, {
    ...{ labels: alert.labels, annotations: alert.annotations, fingerprint, startsAt, endsAt: undefined },
    generatorURL: options.generatorUrl(alert.rule.expr),
  });
}

type GroupName = Pick<Group, "key" | "labels">;
const groupNames = new WeakMap<Labels, GroupName & { readonly by: readonly string[] }>();

function groupOf(labels: Labels, by: readonly string[]): GroupName {
  const known = groupNames.get(labels);
  if (known?.by === by) return known;
  const own = Object.fromEntries(by.map((name) => [name, labels[name] ?? ""]));
  const pairs = Object.entries(own).map(([name, value]) => `${name}=${JSON.stringify(value)}`);
  const made = { key: `{}:{${pairs.join(", ")}}`, labels: own, by };
  groupNames.set(labels, made);
  return made;
}

function resolveOthers({ groups }: State, firing: ReadonlySet<string>, atMs: number): void {
  for (const { alerts } of groups.values()) {
    for (const [key, alert] of alerts) {
      if (!firing.has(key) && alert.endsAt === undefined) alerts.set(key, { ...alert, endsAt: atMs });
    }
  }
}

function notify(state: State, group: Group, atMs: number): void {
  const { options, webhook, sending } = state;
  if (!webhook || sending.has(group.key) || !isDue(group, options, atMs)) return;
  group.notifiedAt = atMs;
  const body = JSON.stringify(payloadOf(group, options.externalUrl));
  const posts = Array.from({ length: options.peers }, () => post(webhook, body, state.stopped.signal));
  const sent = Promise.all(posts).then(() => {
    sending.delete(group.key);
  });
  sending.set(group.key, sent);
  for (const [key, alert] of group.alerts) if (alert.endsAt !== undefined) group.alerts.delete(key);
  group.notifiedState = stateOf(group);
  if (group.alerts.size === 0) state.groups.delete(group.key);
}

function isDue(group: Group, options: AlertmanagerOptions, atMs: number): boolean {
  if (group.notifiedAt === undefined) return atMs - group.openedAt >= options.groupWaitMs;
  const waited = atMs - group.notifiedAt;
  const changed = stateOf(group) !== group.notifiedState;
  return changed ? waited >= options.groupIntervalMs : waited >= options.repeatMs;
}

function stateOf({ alerts }: Group): string {
  return [...alerts.values()].map(({ fingerprint, endsAt }) => `${fingerprint}${endsAt ?? ""}`).join();
}

function shown(alert: HeldAlert, atMs: number): object {
  return {
    ...alert,
    startsAt: iso(alert.startsAt),
    updatedAt: iso(atMs),
    endsAt: iso(atMs + 240_000),
    receivers: [{ name: "rectify" }],
    status: { state: "active", silencedBy: [], inhibitedBy: [], mutedBy: [] },
  };
}
