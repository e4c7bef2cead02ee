import { createHash } from "node:crypto";
import type { Alert } from "./alert.ts";
import { severityRank } from "./severity.ts";

/** An alert in a form that every store can hold. */
interface StorableAlert {
  readonly alert: Alert;
  /** The alert as it came, as JSON, where something of it had to be changed. */
  readonly original: string | undefined;
}

// Far above what Prometheus itself produces; a label of a megabyte would travel through every page and prompt.
const longestText = 4_096;
const longestFingerprint = 128;
const mostTexts = 256;
const firstInstant = "0001-01-01T00:00:00.000Z";
const lastInstant = "9999-12-31T23:59:59.999Z";

/** Replaces what no database holds (NUL, half characters, times beyond the calendar) and cuts what is without measure. */
export function storableAlert(alert: Alert): StorableAlert {
  const stored: Alert = {
    ...alert,
    fingerprint: storableFingerprint(alert.fingerprint),
    name: storableText(alert.name),
    labels: storableTexts(alert.labels),
    annotations: storableTexts(alert.annotations),
    startsAt: storableInstant(alert.startsAt),
    generatorUrl: storableText(alert.generatorUrl),
  };
  const original = JSON.stringify(alert);
  return { alert: stored, original: JSON.stringify(stored) === original ? undefined : original };
}

/** How soon a delivery is looked at: the highest severity that fires in it first, and what only resolves last. */
export function urgencyOf(alerts: readonly Alert[]): number {
  const firing = alerts.filter(({ status }) => status === "firing");
  return Math.min(lastUrgency, ...firing.map(({ labels }) => severityRank(labels.severity ?? "")));
}

/** Behind every severity. */
export const lastUrgency = 9;

/** A text without what Postgres cannot hold: the zero character, and half of a pair. */
export function storable(text: string): string {
  // In Unicode mode the property matches only a surrogate without its other half.
  return text.replace(/\p{Surrogate}/gu, "\uFFFD").replaceAll("\u0000", "\uFFFD");
}

function storableText(text: string): string {
  const whole = storable(text);
  if (whole.length <= longestText) return whole;
  return `${whole.slice(0, longestText).replace(/\p{Surrogate}$/u, "")} (cut from ${whole.length} characters)`;
}

function storableTexts(texts: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const pairs = Object.entries(texts).slice(0, mostTexts);
  return Object.fromEntries(pairs.map(([name, text]) => [storableText(name), storableText(text)]));
}

function storableFingerprint(fingerprint: string): string {
  const text = storableText(fingerprint);
  if (text === fingerprint && text.length <= longestFingerprint) return text;
  return createHash("sha256").update(JSON.stringify(fingerprint)).digest("hex");
}

function storableInstant(instant: string): string {
  if (/^\d{4}-/.test(instant) && instant >= firstInstant) return instant;
  return instant.startsWith("+") ? lastInstant : firstInstant;
}
