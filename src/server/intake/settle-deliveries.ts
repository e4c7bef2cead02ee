import type { Claimed } from "../../adapters/postgres/incidents/inbox.ts";
import { type Alert, readAlertDelivery } from "../../domain/incident/alert.ts";
import { known, Unavailable } from "../../ports/errors.ts";
import { type AlertIntake, takeAlerts } from "./take-alerts.ts";

/** A webhook of GitHub, as it was stored. */
interface GitHubDelivery {
  readonly id: string;
  readonly name: string;
  readonly payload: object;
}

export interface Settling extends AlertIntake {
  /** The answer is why it is none of ours. */
  readonly receive: (delivery: GitHubDelivery) => Promise<string | undefined>;
  /** The sender cut a group off: what is missing is to be asked for. */
  readonly askSoon: () => void;
}

/** A delivery that fails by its own fault this often is parked with its raw bytes. */
const mostOwnFailures = 5;
// As long as a person would wait for a command.
const patienceMs = 12 * 3_600_000;
// Before a claim ends.
const renewMs = 10_000;
const firstPauseMs = 1_000;
const longestPauseMs = 5 * 60_000;

/** Settles deliveries of alerts together. Those that others gave up are taken one by one, each in hand on its own. */
export async function settleAlerts(settling: Settling, claimed: readonly Claimed[]): Promise<void> {
  await settleTogether(
    settling,
    claimed.filter(({ suspect }) => !suspect),
  );
  for (const delivery of claimed.filter(({ suspect }) => suspect)) {
    if (await isParked(settling, delivery)) continue;
    await settling.store.takeInHand(delivery.id);
    await settleTogether(settling, [delivery]);
  }
}

async function settleTogether(settling: Settling, deliveries: readonly Claimed[]): Promise<void> {
  if (deliveries.length === 0) return;
  const { store } = settling;
  const read = deliveries.map((delivery) => ({ delivery, content: readAlertDelivery(parseJson(delivery.body)) }));
  const alerts = read.flatMap(({ content }) => (content.kind === "alerts" ? content.alerts : []));
  const taken = await takeAlerts(settling, alerts);
  let next = 0;
  const settled: { id: string; outcome: string }[] = [];
  for (const { delivery, content } of read) {
    if (content.kind === "ignored") {
      settling.telemetry.log("", "intake", `a delivery could not be read: ${content.because}`);
      await store.recordUnreadable(delivery.body, content.because);
      settled.push({ id: delivery.id, outcome: `ignored: ${content.because}` });
      continue;
    }
    const mine = taken.slice(next, next + content.alerts.length);
    next += content.alerts.length;
    if (content.truncated > 0) settling.askSoon();
    const failed = mine.find((item) => item.kind === "failed");
    if (failed?.kind === "failed") await putOff(settling, delivery, new Error(failed.because));
    else settled.push({ id: delivery.id, outcome: outcomeOf(content.alerts, mine) });
  }
  await store.settle(settled);
}

// A group of thousands would make a text of its own size.
const longestOutcome = 2_000;

function outcomeOf(alerts: readonly Alert[], taken: Awaited<ReturnType<typeof takeAlerts>>): string {
  const outcomes = taken.flatMap((item) => (item.kind === "taken" ? [item.outcome] : []));
  return [...new Set(outcomes)].join("; ").slice(0, longestOutcome) || `${alerts.length} alerts`;
}

/** Settles one webhook of GitHub. */
export async function settleGitHub(settling: Settling, delivery: Claimed): Promise<void> {
  if (await isParked(settling, delivery)) return;
  await settling.store.takeInHand(delivery.id);
  const payload = parseJson(delivery.body);
  const { event = "", delivery: id = "" } = delivery.headers;
  const holding = setInterval(() => void known(() => settling.store.takeInHand(delivery.id)), renewMs);
  let ignored: string | undefined = "not JSON";
  try {
    if (payload !== undefined) ignored = await settling.receive({ id, name: event, payload });
  } catch (error) {
    return await putOff(settling, delivery, error);
  } finally {
    clearInterval(holding);
  }
  await settling.store.settle([{ id: delivery.id, outcome: ignored === undefined ? "done" : `ignored: ${ignored}` }]);
}

/** More deaths than chance can explain: this one takes the process down. */
async function isParked({ store, telemetry }: Settling, { id, tries }: Claimed): Promise<boolean> {
  if (tries < mostOwnFailures) return false;
  const because = `the process died, or failed, ${tries} times while it had this delivery in hand`;
  telemetry.log("", "intake", `delivery ${id} is parked: ${because}`);
  await store.settle([{ id, outcome: `parked: ${because}` }]);
  return true;
}

/** Later again, or parked: a failure of others is waited for as long as a person would, one of its own five times. */
async function putOff({ store, telemetry }: Settling, delivery: Claimed, error: unknown): Promise<void> {
  const { id, tries, delays, receivedAt } = delivery;
  const own = !isOfOthers(error);
  const because = messageOf(error);
  const isOver = own ? tries + 1 >= mostOwnFailures : Date.now() - receivedAt.getTime() > patienceMs;
  if (isOver) {
    telemetry.log("", "intake", `delivery ${id} is parked: ${because}`);
    return store.settle([{ id, outcome: `parked: ${because}` }]);
  }
  // Full jitter, but never at once.
  const pauseMs = firstPauseMs / 2 + Math.random() * Math.min(longestPauseMs, firstPauseMs * 2 ** delays);
  telemetry.log("", "intake", `delivery ${id} failed and is tried again in ${Math.ceil(pauseMs / 1000)} s: ${because}`);
  return store.putOff(id, { pauseMs, because, own });
}

/** Probot wraps what its handlers throw. */
function isOfOthers(error: unknown): boolean {
  if (error instanceof Unavailable) return true;
  const { errors, cause } = (error ?? {}) as { errors?: unknown; cause?: unknown };
  if (Array.isArray(errors) && errors.length > 0) return errors.every(isOfOthers);
  return cause !== undefined && isOfOthers(cause);
}

function messageOf(error: unknown): string {
  const { errors } = (error ?? {}) as { errors?: unknown };
  const first: unknown = Array.isArray(errors) ? errors[0] : error;
  const text = first instanceof Error ? first.message : String(first);
  return text.replaceAll("\u0000", "\uFFFD").slice(0, longestOutcome);
}

function parseJson(body: Uint8Array): object | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(body).toString("utf8"));
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
