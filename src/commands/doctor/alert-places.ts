import { alertmanager } from "../../adapters/monitoring/alertmanager.ts";
import { kubernetesObjects } from "../../adapters/kubernetes/kubernetes.ts";
import { prometheus } from "../../adapters/monitoring/prometheus.ts";
import { connectTo } from "../../adapters/postgres/query.ts";
import { unplacedAlerts } from "../../adapters/postgres/incidents/unplaced.ts";
import { type DoctorFinding, good, skipped, warning } from "./finding.ts";
import type { Around } from "./collection.ts";
import { mappedConcern } from "../../domain/guardrails/alert-mapping.ts";
import type { Alert } from "../../domain/incident/alert.ts";
import type { Concern } from "../../domain/incident/incident.ts";
import { renderLabels, type UnplacedAlerts } from "../../domain/incident/unplaced.ts";
import type { Workload } from "../../domain/kubernetes/workload.ts";
import { resolveAlert } from "../../flow/collect/concerns/resolve-alert.ts";
import { isKnownFailure, known, Refused, Unavailable } from "../../ports/errors.ts";
import type { Settings } from "../../settings/settings.ts";

const point = "alerts";
const mostShown = 20;

/** Alerts of one name that lead to no workload, as far as they are known now or were on record. */
type Unmapped = Pick<UnplacedAlerts, "name" | "because" | "line" | "labels">;

/** Which alerts lead to no workload: those that fire now, and those that a running Rectify put on record. */
export async function examineAlertPlaces(settings: Settings, around: Around): Promise<readonly DoctorFinding[]> {
  try {
    const seen = await alertmanager({ ...settings.alertmanager, warmUpMs: 0 }).active();
    const active = seen.filter(({ muted }) => muted !== true);
    const mappings = around.guardrails?.alerts ?? [];
    const resolve = resolverOf(settings, around);
    const places: { readonly alert: Alert; readonly concern: Concern }[] = [];
    for (const alert of active) places.push({ alert, concern: await resolve(alert) });
    const now = places.flatMap(({ alert, concern }) => (concern.kind === "nobody" ? [{ ...alert, ...concern }] : []));
    const recorded = await recordedUnplaced(settings);
    const before = (recorded ?? []).filter(
      ({ name, labels }) =>
        !active.some((alert) => alert.name === name) && mappedConcern(alertOf(name, labels), mappings) === undefined,
    );
    const unmapped = [...new Map<string, Unmapped>([...now, ...before].map((one) => [one.name, one])).values()];
    const count = (kind: string) => places.filter(({ concern }) => concern.kind === kind).length;
    const silent = count("unknown") === 0 ? "" : `; of ${count("unknown")} nobody could tell, as a source was silent`;
    const summary = good(point, `${count("workload")} of ${active.length} firing alerts lead to a workload${silent}`);
    const unasked = recorded === undefined ? [skipped(point, "the database did not say what is on record")] : [];
    return [summary, ...unasked, ...unmapped.slice(0, mostShown).map(unmappedFinding), ...rest(unmapped.length)];
  } catch (error) {
    if (!isKnownFailure(error)) throw error;
    return [skipped(point, "without Alertmanager it is unknown where its alerts lead")];
  }
}

function unmappedFinding({ name, because, line, labels }: Unmapped): DoctorFinding {
  const place = line.startsWith("alerts:") ? "in .github/rectify.yml: " : "";
  return warning(point, `${name} opens no incident: ${because} (labels: ${renderLabels(labels)})`, `${place}${line}`);
}

function rest(count: number): DoctorFinding[] {
  if (count <= mostShown) return [];
  return [warning(point, `${count - mostShown} more alert names lead to no workload`, "see the page /system")];
}

/** What runs there is told by the pod that is met first. */
export async function anyRunning(settings: Settings, around: Around): Promise<Workload | undefined> {
  const namespace = around.guardrails?.namespaces[0];
  if (namespace === undefined) return undefined;
  return known(async () => {
    const [pod] = await kubernetesObjects(clusterOf(settings)).pods({ namespace });
    if (pod === undefined) return undefined;
    const asked = alertOf("rectify-doctor", { namespace, pod: pod.name });
    const concern = await resolverOf(settings, { ...around, guardrails: undefined })(asked);
    return concern.kind === "workload" ? concern.workload : undefined;
  });
}

function alertOf(name: string, labels: Readonly<Record<string, string>>): Alert {
  return { fingerprint: name, name, status: "firing", labels, annotations: {}, startsAt: "", generatorUrl: "" };
}

function resolverOf(settings: Settings, { guardrails, clock }: Around) {
  const mappings = guardrails?.alerts ?? [];
  const surveyed = {
    ...{ objects: kubernetesObjects(clusterOf(settings)), metrics: prometheus(settings.prometheus), clock },
    ...{ cluster: settings.cluster, clusterLabel: settings.clusterLabel ?? "cluster" },
  };
  return (alert: Alert) => resolveAlert(alert, mappings, surveyed);
}

function clusterOf({ kubernetes, cluster }: Settings) {
  return { ...kubernetes, cluster };
}

/** None where no database is set, or where no Rectify has made its tables yet; undefined = it gave no answer. */
async function recordedUnplaced({ databaseUrl }: Settings): Promise<readonly UnplacedAlerts[] | undefined> {
  if (databaseUrl === undefined) return [];
  const database = connectTo(databaseUrl);
  try {
    const rows = await patiently(() => unplacedAlerts(database.query).unplaced());
    return rows.filter(({ kind }) => kind === "nobody" || kind === "unreadable");
  } catch (error) {
    if (error instanceof Unavailable) return undefined;
    if (error instanceof Refused) return [];
    throw error;
  } finally {
    await database.close();
  }
}

const mostTries = 5;

/** A connection may be made late on a busy machine. */
async function patiently<T>(ask: () => Promise<T>, tries = 1): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Unavailable) || tries >= mostTries) throw error;
    return patiently(ask, tries + 1);
  }
}
