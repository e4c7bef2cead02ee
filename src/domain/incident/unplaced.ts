import { oneLine } from "../text/one-line.ts";

/** Alerts of one name that led to no workload: how often, why, and what would change it. */
export interface UnplacedAlerts {
  readonly name: string;
  readonly kind: "nobody" | "ignored" | "unknown" | "unreadable";
  /** Different firings, or deliveries that could not be read. */
  readonly times: number;
  /** Of the newest one. */
  readonly because: string;
  readonly line: string;
  readonly labels: Readonly<Record<string, string>>;
  /** RFC 3339. */
  readonly lastSeen: string;
}

/** Labels for people: `namespace=shop pod=web-1`. */
export function renderLabels(labels: Readonly<Record<string, string>>): string {
  const parts = Object.entries(labels).flatMap(([name, value]) => (name === "alertname" ? [] : [`${name}=${value}`]));
  return oneLine(parts.join(" "), 400);
}
