import { prometheus } from "../../adapters/monitoring/prometheus.ts";
import { loki } from "../../adapters/monitoring/loki.ts";
import { bad, failed, type DoctorFinding, good, skipped, warning } from "./finding.ts";
import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import { dialectSeries, type PromQuestion, promQuestions } from "../../domain/evidence/prom-queries.ts";
import { type Workload, workloadKey } from "../../domain/kubernetes/workload.ts";
import type { Metrics } from "../../ports/monitoring.ts";
import type { Clock } from "../../ports/runtime.ts";
import type { Settings } from "../../settings/settings.ts";

export interface Around {
  readonly guardrails: Guardrails | undefined;
  readonly clock: Clock;
}

/** Nobody's workload: the answers matter, not what is in them. */
export function anyWorkload({ guardrails }: Pick<Around, "guardrails">): Workload {
  return { kind: "Deployment", namespace: guardrails?.namespaces[0] ?? "default", name: "rectify-doctor" };
}

// A platform of a hundred namespaces is scraped alike: the first ones tell.
const mostNamespaces = 10;
const needed = new Set(["requests", "cpu-used", "memory-used"]);
const prometheusCure = "see that PROMETHEUS_URL is right, and PROMETHEUS_TOKEN or PROMETHEUS_HEADERS if it needs one";

/** The very queries of the collection, each once for each namespace: what returns nothing is nothing to diagnose by. */
export async function examineCollection(settings: Settings, around: Around): Promise<readonly DoctorFinding[]> {
  const source = prometheus(settings.prometheus);
  if (around.guardrails === undefined) {
    return source.range("vector(1)", ...lately(settings, around)).then(
      () => [skipped("prometheus", "it answers; without guardrails it is unknown which namespace must have data")],
      (error) => [failed("prometheus", prometheusCure)(error)],
    );
  }
  try {
    const findings: DoctorFinding[] = [];
    for (const namespace of around.guardrails.namespaces.slice(0, mostNamespaces)) {
      const answers = await answersIn(source, namespace, settings, around);
      findings.push(await findingOf(namespace, answers, settings, around));
    }
    return findings;
  } catch (error) {
    return [failed("prometheus", prometheusCure)(error)];
  }
}

interface Answered extends Pick<PromQuestion, "key" | "title" | "optional"> {
  /** Of the first dialect that knows it. */
  readonly series: number;
}

function lately({ timings }: Settings, { clock }: Around): [Date, Date] {
  const to = clock.now();
  return [new Date(to.getTime() - timings.lookbackMs), to];
}

async function answersIn(source: Metrics, namespace: string, settings: Settings, around: Around): Promise<Answered[]> {
  const [from, to] = lately(settings, around);
  const questions = promQuestions({ ...anyWorkload(around), namespace }, settings.timings.rateWindow);
  const answers: Answered[] = [];
  for (const { key, title, optional, dialects } of questions) {
    let series = 0;
    for (const dialect of dialects) {
      if (series > 0) break;
      series = dialectSeries((await source.range(dialect.query, from, to)).series, dialect).length;
    }
    answers.push({ key, title, series, ...(optional === undefined ? {} : { optional }) });
  }
  return answers;
}

/** Whether Prometheus has metrics by which a workload of this namespace could be diagnosed. */
export async function isMeasured(settings: Settings, namespace: string, clock: Clock): Promise<boolean> {
  const answers = await answersIn(prometheus(settings.prometheus), namespace, settings, {
    guardrails: undefined,
    clock,
  });
  return answers.some(({ key, series }) => needed.has(key) && series > 0);
}

async function findingOf(namespace: string, answers: readonly Answered[], settings: Settings, around: Around) {
  const empty = answers.filter(({ series, optional }) => series === 0 && optional === undefined);
  const told = answers
    .filter(({ series }) => series > 0)
    .map(({ title, series }) => `${title} (${series} series)`)
    .join(", ");
  const titles = empty.map(({ title }) => title).join(", ");
  if (empty.length === 0)
    return good("prometheus", `every query of the collection returns data in ${namespace}: ${told}`);
  const found = `no data in ${namespace} for: ${titles}${told === "" ? "" : `; data for: ${told}`}`;
  if (told === "") {
    const label = await needlessLabel(namespace, settings, around);
    if (label !== undefined) return bad("prometheus", `${found}; without ${label} there is some`, labelCure(label));
  }
  const isBlind = empty.some(({ key }) => needed.has(key));
  return (isBlind ? bad : warning)("prometheus", found, exportersFor(empty));
}

/** A cluster's own Prometheus does not have its external labels on its series: narrowed to one it knows nothing. */
async function needlessLabel(namespace: string, settings: Settings, around: Around): Promise<string | undefined> {
  const { only, ...whole } = settings.prometheus;
  if (only === undefined) return undefined;
  const answers = await answersIn(prometheus(whole), namespace, settings, around);
  return answers.some(({ series }) => series > 0) ? `${only.label}="${only.value}"` : undefined;
}

function labelCure(label: string): string {
  return `leave CLUSTER_LABEL out where this Prometheus knows one cluster only, or set CLUSTER_NAME to what its series say (now: ${label})`;
}

const exporters = [
  {
    keys: ["requests", "error-share", "node-metrics", "calls"],
    what: "the mesh (Linkerd, Istio), metrics of traces, or the applications' http_requests_total",
  },
  { keys: ["cpu-used", "cpu-throttled", "memory-used"], what: "cAdvisor (the kubelet's /metrics/cadvisor)" },
  { keys: ["cpu-requested", "memory-limit", "restarts"], what: "kube-state-metrics" },
] as const;

function exportersFor(empty: readonly Answered[]): string {
  const lacking = new Set<string>(empty.map(({ key }) => key));
  const wanted = exporters.flatMap(({ keys, what }) => (keys.some((key) => lacking.has(key)) ? [what] : []));
  return `let Prometheus scrape, for that namespace: ${wanted.join("; ")}`;
}

const lokiCure =
  "see that LOKI_URL is right, and LOKI_TOKEN or LOKI_HEADERS if it needs one; raise its limits if they were hit";

/** Both questions of the collection to the logs, about a workload that runs where one was found. */
export async function examineLogs(
  settings: Settings,
  around: Around,
  running: Workload | undefined,
): Promise<DoctorFinding> {
  if (settings.loki === undefined) return skipped("loki", "LOKI_URL is not set: diagnoses do without log lines");
  const source = loki(settings.loki);
  const workload = running ?? anyWorkload(around);
  try {
    const { lines, notes } = await source.around(workload, ...lately(settings, around));
    const { series } = await source.errorRate(workload, ...lately(settings, around));
    const what = `it answers both queries of the collection about ${workloadKey(workload)}`;
    if (running === undefined) return good("loki", "it answers both queries of the collection");
    if (lines.length > 0) return good("loki", `${what}: ${lines.length} lines, ${series.length} series of errors`);
    return warning(
      "loki",
      `${what}, but has no line of it (${notes.join("; ")})`,
      "see that its log collector gives streams the labels namespace and pod, unless this workload logs nothing",
    );
  } catch (error) {
    return failed("loki", lokiCure)(error);
  }
}
