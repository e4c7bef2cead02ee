import { z } from "zod";
import { alertmanager } from "../../adapters/monitoring/alertmanager.ts";
import { getJson } from "../../adapters/http/http.ts";
import { kubernetes, mayPatchDeployments } from "../../adapters/kubernetes/kubernetes.ts";
import { examineRoute } from "./alert-delivery.ts";
import { anyRunning, examineAlertPlaces } from "./alert-places.ts";
import { anyWorkload, examineCollection, examineLogs } from "./collection.ts";
import { examineGitops } from "./gitops.ts";
import { bad, failed, type DoctorFinding, good, skipped, warning } from "./finding.ts";
import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
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
  const running = await anyRunning(settings, known);
  const found = await Promise.all([
    examineCollection(settings, known),
    examineRules(settings),
    examineAlertmanager(settings),
    examineRoute(settings),
    examineAlertPlaces(settings, known),
    examineLogs(settings, known, running),
    examineKubernetes(settings, known),
    examineRights(settings, known),
    examineGitops(settings, known, running),
    examineOllama(settings),
  ]);
  return found.flat();
}

/** What Rectify reads beside GitHub, each by its own question: for who sets it up. */
export async function examineSources(settings: Settings, known: Known): Promise<readonly DoctorFinding[]> {
  const running = await anyRunning(settings, known);
  const found = await Promise.all([
    examineCollection(settings, known),
    examineAlertmanager(settings),
    examineLogs(settings, known, running),
    examineKubernetes(settings, known),
    examineOllama(settings),
  ]);
  return found.flat();
}

const RuleList = z.object({ data: z.object({ groups: z.array(z.object({ rules: z.array(z.unknown()) })) }) });

async function examineRules({ prometheus: endpoint }: Settings): Promise<DoctorFinding> {
  const fix = "load alerting rules (manifests/monitoring) and let us read /api/v1/rules";
  try {
    const answer = await getJson({ name: "Prometheus", ...endpoint }, "/api/v1/rules", { type: "alert" });
    const read = RuleList.safeParse(answer);
    const count = read.success ? read.data.data.groups.flatMap((group) => group.rules).length : 0;
    return count > 0
      ? good("alerting rules", `${count} alerting rules are loaded`)
      : bad("alerting rules", "Prometheus has no alerting rule: nothing will ever fire", fix);
  } catch (error) {
    return failed("alerting rules", fix)(error);
  }
}

async function examineAlertmanager({ alertmanager: endpoint }: Settings): Promise<DoctorFinding> {
  return alertmanager({ ...endpoint, warmUpMs: 0 })
    .active()
    .then(
      (seen) => {
        const active = seen.filter(({ muted }) => muted !== true);
        return good("alertmanager", `it answers; ${active.length} alerts are active`);
      },
      failed("alertmanager", "see that ALERTMANAGER_URL is right (API v2), and ALERTMANAGER_TOKEN if it needs one"),
    );
}

/** Every namespace of the guardrails must be readable. */
async function examineKubernetes(settings: Settings, known: Known): Promise<readonly DoctorFinding[]> {
  const cluster = kubernetes({ ...settings.kubernetes, cluster: settings.cluster });
  const fix =
    "bind the ClusterRole of manifests/rectify to the ServiceAccount of Rectify; check KUBERNETES_URL and token";
  const namespaces = known.guardrails?.namespaces ?? [];
  const looks = namespaces.map(async (namespace): Promise<DoctorFinding> => {
    try {
      await cluster.workload({ ...anyWorkload(known), namespace });
      const { refused = [] } = await cluster.surroundings({ ...anyWorkload(known), namespace });
      return refused.length === 0
        ? good("kubernetes", `workloads, pods, events, quotas and nodes around ${namespace} can be read`)
        : bad("kubernetes", refused.join("; "), fix);
    } catch (error) {
      return failed("kubernetes", fix)(error);
    }
  });
  return namespaces.length > 0
    ? Promise.all(looks)
    : [skipped("kubernetes", "without guardrails it is unknown which namespaces must be readable")];
}

/** Git is the only way in: an account that could write would make that a promise instead of a fact. */
async function examineRights(settings: Settings, known: Known): Promise<readonly DoctorFinding[]> {
  const options = { ...settings.kubernetes, cluster: settings.cluster };
  const fix = "give Rectify an account of its own with the ClusterRole of manifests/rectify only, which reads";
  const looks = (known.guardrails?.namespaces ?? []).map(async (namespace): Promise<DoctorFinding> => {
    try {
      return (await mayPatchDeployments(options, namespace))
        ? warning(
            "kubernetes permissions",
            `our account could patch deployments in ${namespace}; Rectify never does`,
            fix,
          )
        : good("kubernetes permissions", `our account cannot patch deployments in ${namespace}`);
    } catch (error) {
      return failed("kubernetes permissions", "see that KUBERNETES_URL and its token are right")(error);
    }
  });
  return Promise.all(looks);
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
