import { openMirror } from "../../adapters/git-mirror.ts";
import { branchProtection } from "../../adapters/github/checks.ts";
import { connectGitHub } from "../../adapters/github/github.ts";
import { guardrailsHost } from "../../adapters/github/guardrails.ts";
import { statusOf } from "../../adapters/github/pace.ts";
import { gitNetwork } from "../../adapters/http/proxy.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { workloadOfKey } from "../../domain/kubernetes/workload.ts";
import { guardrailsPath } from "../../flow/collect/load-guardrails.ts";
import { type Fitted, proposeGuardrails } from "../../flow/gate/check-guardrails.ts";
import { known, Refused } from "../../ports/errors.ts";
import type { ProposedFile } from "../../ports/guardrails-host.ts";
import type { Clock } from "../../ports/runtime.ts";
import type { Settings } from "../../settings/settings.ts";
import { isMeasured } from "../doctor/collection.ts";
import { editableWorkloads } from "../repository/survey.ts";
import { installedTools } from "../repository/tools.ts";
import type { Answers } from "./answers.ts";
import { fitGuardrails } from "./fitted.ts";

export type Client = Awaited<ReturnType<typeof connectGitHub>>;

interface Patience {
  readonly tell: (line: string) => void;
  readonly deadlineMs: number;
  readonly everyMs: number;
}

/** Connects as soon as a person has installed the App on the repository. Throws `Refused` when nobody does in time. */
export async function awaitInstallation(settings: Settings, installUrl: string, patience: Patience): Promise<Client> {
  const { repository, app, github } = settings;
  const audit = async (action: string) => patience.tell(`GitHub: ${action}`);
  let isTold = false;
  for (let left = patience.deadlineMs; ; left -= patience.everyMs) {
    try {
      return await connectGitHub({ ...github, repository, app, audit });
    } catch (error) {
      // Not found is "not yet"; everything else will not get better by waiting.
      const isMissing = error instanceof Refused && statusOf(error.cause) === 404;
      if (!isMissing || left <= 0) throw error;
      if (!isTold) patience.tell(`Install the App on ${repository.owner}/${repository.repo}: ${installUrl}`);
      isTold = true;
      await new Promise((resume) => setTimeout(resume, patience.everyMs));
    }
  }
}

/** The guardrails that the repository has, or that fit what was found there and in the cluster. */
type Look = { readonly kind: "there" } | { readonly kind: "fitted"; readonly fitted: Fitted };

interface Place {
  readonly settings: Settings;
  readonly client: Client;
  readonly clock: Clock;
  /** A directory for the clone, which goes afterwards. */
  readonly scratch: string;
}

/** Looks through the default branch, and asks Prometheus about each namespace. Writes nothing. */
export async function lookAround(answers: Answers, { settings, client, clock, scratch }: Place): Promise<Look> {
  const { cloneUrl: url, authorization } = client;
  const network = await gitNetwork(settings, scratch);
  const { tree } = await openMirror({ directory: scratch, url, authorization, network }).head();
  if (tree.read(guardrailsPath) !== undefined) return { kind: "there" };
  const editable = await editableIn(tree);
  const measured = new Map<string, boolean | undefined>();
  for (const name of new Set([...editable.keys(), ...(answers.namespaces ?? [])])) {
    measured.set(name, await known(() => isMeasured(settings, name, clock)));
  }
  const { checks } = await branchProtection(client, (await client.about()).defaultBranch);
  const requiredChecks = checks.flatMap(({ name, app }) => (app === undefined ? [] : [{ name, app }]));
  const infrastructure = new Set([answers.rectifyNamespace, "flux-system", "argocd", ...hostNamespaces(settings)]);
  return {
    kind: "fitted",
    fitted: fitGuardrails({ editable, measured, infrastructure, requiredChecks }, answers.namespaces),
  };
}

/** How many workloads of each namespace have a field that an edit reaches. */
async function editableIn(tree: Tree): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  for (const workload of await editableWorkloads(tree, installedTools(false))) {
    const { namespace, kind } = workloadOfKey(workload);
    // Its fields can be edited, but no guardrails allow it.
    if (kind !== "DaemonSet") counts.set(namespace, (counts.get(namespace) ?? 0) + 1);
  }
  return counts;
}

/** The namespaces that addresses inside a cluster name: `prometheus.monitoring.svc`. */
function hostNamespaces({ prometheus, alertmanager, loki, ollama }: Settings): string[] {
  const urls = [prometheus.url, alertmanager.url, loki?.url, ollama?.host];
  return urls.flatMap((url) => {
    const host = url === undefined ? "" : new URL(url).hostname;
    return /^[\w-]+\.([\w-]+)\.svc(?:\.|$)/.exec(host)?.[1] ?? [];
  });
}

/** Opens the onboarding pull request, unless one was ever opened. */
export function openOnboarding(client: Client, fitted: Fitted): Promise<ProposedFile> {
  return proposeGuardrails(guardrailsHost(client), fitted);
}
