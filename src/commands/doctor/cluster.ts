import { z } from "zod";
import { alertmanager } from "../../adapters/monitoring/alertmanager.ts";
import { getJson } from "../../adapters/http/http.ts";
import { kubernetes, mayPatchDeployments } from "../../adapters/kubernetes/kubernetes.ts";
import { loki } from "../../adapters/monitoring/loki.ts";
import { prometheus } from "../../adapters/monitoring/prometheus.ts";
import { examineRoute } from "./alert-delivery.ts";
import { bad, failed, type DoctorFinding, good, skipped, warning } from "./finding.ts";
import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import { promQuestions } from "../../domain/evidence/prom-queries.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import type { Workload } from "../../domain/kubernetes/workload.ts";
import { entriesOf } from "../../manifests/gitops/entries.ts";
import type { Clock } from "../../ports/runtime.ts";
import type { Settings } from "../../settings/settings.ts";

interface Known {
  readonly guardrails: Guardrails | undefined;
  readonly head: { readonly sha: string; readonly tree: Tree } | undefined;
  readonly contains: (descendant: string, ancestor: string) => Promise<boolean>;
  readonly clock: Clock;
}

/** What runs beside the cluster, and the cluster itself, through the ordinary adapters: reads only. */
export async function examineCluster(settings: Settings, known: Known): Promise<readonly DoctorFinding[]> {
  const found = await Promise.all([
    examinePrometheus(settings, known),
    examineRules(settings),
    examineAlertmanager(settings),
    examineRoute(settings),
    examineLoki(settings, known),
    examineKubernetes(settings, known),
    examineRights(settings, known),
    examineGitops(settings, known),
    examineOllama(settings),
  ]);
  return found.flat();
}

/** Nobody's workload: the answers matter, not what is in them. */
function anyWorkload({ guardrails }: Known): Workload {
  return { kind: "Deployment", namespace: guardrails?.namespaces[0] ?? "default", name: "rectify-doctor" };
}

/** The very queries of the collection must return data, or every diagnosis is blind. */
async function examinePrometheus({ prometheus: endpoint, tempo }: Settings, known: Known): Promise<DoctorFinding> {
  const source = prometheus(endpoint);
  const wanted = new Set(["requests", "cpu-used", "memory-used"]);
  const questions = promQuestions(anyWorkload(known), tempo.rateWindow).filter(({ key }) => wanted.has(key));
  const to = known.clock.now();
  const from = new Date(to.getTime() - tempo.lookbackMs);
  try {
    const empty: string[] = [];
    for (const { title, dialects } of questions) {
      const answers = await Promise.all(dialects.map(({ query }) => source.range(query, from, to)));
      if (answers.every(({ series }) => series.length === 0)) empty.push(title);
    }
    if (known.guardrails === undefined) {
      return skipped("prometheus", "it answers; without guardrails it is unknown which namespace must have data");
    }
    return empty.length === 0
      ? good("prometheus", "the queries of the collection return data")
      : bad(
          "prometheus",
          `no data in ${anyWorkload(known).namespace} for: ${empty.join(", ")}`,
          "see that Prometheus scrapes the mesh (or receives metrics of traces), cAdvisor and kube-state-metrics of that namespace",
        );
  } catch (error) {
    return failed("prometheus", "see that PROMETHEUS_URL is right, and PROMETHEUS_TOKEN if it needs one")(error);
  }
}

const RuleList = z.object({ data: z.object({ groups: z.array(z.object({ rules: z.array(z.unknown()) })) }) });

async function examineRules({ prometheus: endpoint }: Settings): Promise<DoctorFinding> {
  const cure = "load alerting rules (manifests/monitoring) and let us read /api/v1/rules";
  try {
    const answer = await getJson({ name: "Prometheus", ...endpoint }, "/api/v1/rules", { type: "alert" });
    const read = RuleList.safeParse(answer);
    const count = read.success ? read.data.data.groups.flatMap((group) => group.rules).length : 0;
    return count > 0
      ? good("alerting rules", `${count} alerting rules are loaded`)
      : bad("alerting rules", "Prometheus has no alerting rule: nothing will ever fire", cure);
  } catch (error) {
    return failed("alerting rules", cure)(error);
  }
}

async function examineAlertmanager({ alertmanager: endpoint }: Settings): Promise<DoctorFinding> {
  return alertmanager({ ...endpoint, warmUpMs: 0 })
    .active()
    .then(
      (alerts) => good("alertmanager", `it answers; ${alerts.length} alerts are active`),
      failed("alertmanager", "see that ALERTMANAGER_URL is right (API v2), and ALERTMANAGER_TOKEN if it needs one"),
    );
}

async function examineLoki({ loki: endpoint }: Settings, known: Known): Promise<DoctorFinding> {
  if (endpoint === undefined) return skipped("loki", "LOKI_URL is not set: diagnoses do without log lines");
  const to = known.clock.now();
  return loki(endpoint)
    .around(anyWorkload(known), new Date(to.getTime() - 60_000), to)
    .then(
      () => good("loki", "it answers our query"),
      failed("loki", "see that LOKI_URL is right, and LOKI_TOKEN if it needs one; raise its limits if they were hit"),
    );
}

/** Every namespace of the guardrails must be readable. */
async function examineKubernetes(settings: Settings, known: Known): Promise<readonly DoctorFinding[]> {
  const cluster = kubernetes({ ...settings.kubernetes, cluster: settings.cluster });
  const cure =
    "bind the ClusterRole of manifests/rectify to the ServiceAccount of Rectify; check KUBERNETES_URL and token";
  const namespaces = known.guardrails?.namespaces ?? [];
  const looks = namespaces.map(async (namespace): Promise<DoctorFinding> => {
    try {
      await cluster.workload({ ...anyWorkload(known), namespace });
      const { notes } = await cluster.surroundings({ ...anyWorkload(known), namespace });
      const refused = notes.filter((note) => note.startsWith("Kubernetes:"));
      return refused.length === 0
        ? good("kubernetes", `workloads, pods, events, quotas and nodes around ${namespace} can be read`)
        : bad("kubernetes", refused.join("; "), cure);
    } catch (error) {
      return failed("kubernetes", cure)(error);
    }
  });
  return namespaces.length > 0
    ? Promise.all(looks)
    : [skipped("kubernetes", "without guardrails it is unknown which namespaces must be readable")];
}

/** Git is the only way in: an account that could write would make that a promise instead of a fact. */
async function examineRights(settings: Settings, known: Known): Promise<readonly DoctorFinding[]> {
  const options = { ...settings.kubernetes, cluster: settings.cluster };
  const cure = "give Rectify an account of its own with the ClusterRole of manifests/rectify only, which reads";
  const looks = (known.guardrails?.namespaces ?? []).map(async (namespace): Promise<DoctorFinding> => {
    try {
      return (await mayPatchDeployments(options, namespace))
        ? warning(
            "kubernetes permissions",
            `our account could patch deployments in ${namespace}; Rectify never does`,
            cure,
          )
        : good("kubernetes permissions", `our account cannot patch deployments in ${namespace}`);
    } catch (error) {
      return failed("kubernetes permissions", "see that KUBERNETES_URL and its token are right")(error);
    }
  });
  return Promise.all(looks);
}

/** At least one controller object that the repository declares is at work in this cluster, on a commit we know. */
async function examineGitops(settings: Settings, { head, contains }: Known): Promise<DoctorFinding> {
  const cure =
    "apply a Flux Kustomization or an Argo CD Application for your overlay, keep it in the repository, and let it sync";
  if (head === undefined) return skipped("gitops", "without the repository its entries are unknown");
  const cluster = kubernetes({ ...settings.kubernetes, cluster: settings.cluster });
  const entries = entriesOf(head.tree).filter((entry) => entry.tool === "flux" || entry.tool === "argocd");
  if (entries.length === 0) return bad("gitops", "the repository declares no Kustomization and no Application", cure);
  try {
    const reasons = new Set<string>();
    for (const entry of entries) {
      const applied = await cluster.appliedRevision(entry);
      if (applied.kind === "applied" && (await contains(head.sha, applied.sha)))
        return good("gitops", `${entry.object ?? entry.path} has applied ${applied.sha.slice(0, 7)}`);
      const strange =
        applied.kind === "applied" ? "it applied a commit that is not of this repository" : applied.because;
      reasons.add(strange);
    }
    return bad("gitops", [...reasons].join("; "), cure);
  } catch (error) {
    return failed("gitops", cure)(error);
  }
}

const Models = z.object({ models: z.array(z.object({ name: z.string() })) });

async function examineOllama({ ollama }: Settings): Promise<DoctorFinding> {
  if (ollama === undefined) return skipped("ollama", "OLLAMA_HOST is not set: diagnoses do without a model");
  try {
    const read = Models.safeParse(await getJson({ name: "Ollama", url: ollama.host }, "/api/tags"));
    const names = read.success ? read.data.models.map(({ name }) => name) : [];
    const wanted = ollama.model.includes(":") ? ollama.model : `${ollama.model}:latest`;
    return names.includes(wanted)
      ? good("ollama", `the model ${wanted} is there`)
      : bad("ollama", `the model ${wanted} is not there`, `ollama pull ${ollama.model}, or set OLLAMA_MODEL`);
  } catch (error) {
    return failed("ollama", "see that Ollama runs and OLLAMA_HOST is its address")(error);
  }
}
