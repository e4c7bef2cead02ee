import { bad, failed, type DoctorFinding, good, skipped, warning } from "./finding.ts";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { type Workload, workloadKey } from "../../domain/kubernetes/workload.ts";
import { entriesOf } from "../../manifests/gitops/entries.ts";
import type { Cluster } from "../../ports/kubernetes.ts";
import { clusterOf } from "../../server/concerns.ts";
import type { Settings } from "../../settings/settings.ts";

interface Desired {
  readonly head: { readonly sha: string; readonly tree: Tree } | undefined;
  readonly contains: (descendant: string, ancestor: string) => Promise<boolean>;
}

const point = "gitops";
const fix =
  "apply a Flux Kustomization or an Argo CD Application for your overlay, keep it in the repository, and let it sync";
const troubleCure =
  "repair what its controller complains of, or let it go on (flux resume, argocd app sync): until then nothing that is merged is applied";

/**
 * At least one controller object that the repository declares is at work in this cluster, on a commit we know; what
 * keeps others from it; and whether the marks on a workload that runs lead to one of them.
 */
export async function examineGitops(
  settings: Settings,
  { head, contains }: Desired,
  running: Workload | undefined,
): Promise<readonly DoctorFinding[]> {
  if (head === undefined) return [skipped(point, "without the repository its entries are unknown")];
  const cluster = clusterOf(settings);
  const entries = entriesOf(head.tree).filter((entry) => entry.tool === "flux" || entry.tool === "argocd");
  if (entries.length === 0) return [bad(point, "the repository declares no Kustomization and no Application", fix)];
  try {
    const states = [];
    for (const entry of entries) states.push(await stateOf(entry, cluster, { head, contains }));
    const working = states.find(({ kind }) => kind === "applied");
    const reasons = [...new Set(states.flatMap(({ because }) => because ?? []))];
    const troubles = new Set(states.flatMap(({ kind, because }) => (kind === "applied" ? (because ?? []) : [])));
    return [
      working === undefined ? bad(point, reasons.join("; "), fix) : good(point, working.text),
      ...[...troubles].map((because) => warning(point, because, troubleCure)),
      ...(running === undefined ? [] : await examineMarks(running, cluster)),
    ];
  } catch (error) {
    return [failed(point, fix)(error)];
  }
}

interface EntryState {
  readonly kind: "applied" | "not-applied";
  readonly text: string;
  readonly because?: string;
}

async function stateOf(
  entry: Entry,
  cluster: Cluster,
  { head, contains }: { readonly head: NonNullable<Desired["head"]>; readonly contains: Desired["contains"] },
): Promise<EntryState> {
  const name = entry.object ?? entry.path ?? "an entry";
  const applied = await cluster.appliedRevision(entry);
  if (applied.kind === "unknown") return { kind: "not-applied", text: name, because: applied.because };
  if (!(await contains(head.sha, applied.sha)))
    return { kind: "not-applied", text: name, because: "it applied a commit that is not of this repository" };
  const { because } = applied;
  const text = `${name} has applied ${applied.sha.slice(0, 7)}`;
  return {
    kind: "applied",
    text,
    ...(because === undefined ? {} : { because: because.startsWith(name) ? because : `${name}: ${because}` }),
  };
}

/** Without a mark nobody knows which directory a workload is read from. */
async function examineMarks(running: Workload, cluster: Cluster): Promise<readonly DoctorFinding[]> {
  const state = await cluster.workload(running);
  if (state === undefined) return [];
  const entry = await cluster.entryOf(state);
  const what = workloadKey(running);
  if (entry.elsewhere === true)
    return [
      warning(
        "gitops marks",
        `${what} is read from ${entry.repository ?? ""}, which is not RECTIFY_REPOSITORY: its incidents end without a change`,
        "name its address in RECTIFY_SOURCE_URLS where it is a mirror of ours, list its repository in RECTIFY_REPOSITORY, or correct the address of its source",
      ),
    ];
  if (entry.tool !== "unknown") return [good("gitops marks", `${what} leads to ${entry.object ?? entry.tool}`)];
  return [
    warning(
      "gitops marks",
      `no mark on ${what} leads to a Kustomization, HelmRelease or Application`,
      "let Flux or Argo CD apply it, and let our account list applications (ClusterRole of manifests/rectify): Argo CD's label tracking needs it",
    ),
  ];
}
