import type { Entry } from "../domain/kubernetes/manifest-edit.ts";
import type { MergeCommit } from "../domain/proposal/outcome.ts";
import type { Ports } from "../ports/ports.ts";
import { Refused } from "../ports/errors.ts";
import type { Run } from "../ports/workflow.ts";

/** Whether the GitOps controller holds the merged commit. It deploys; Rectify only waits. */
type Synced =
  | { readonly reached: true; readonly sha: string }
  /** `final` = it never will, so nobody waits. */
  | { readonly reached: false; readonly because: string; readonly final?: true };

/** Waits until the commit that Flux or Argo CD applied last contains the merged one. One that nobody named never will. */
export async function sync(entry: Entry, merged: MergeCommit, run: Run): Promise<Synced> {
  const { pollMs, syncTimeoutMs } = run.timings;
  let because = "";
  for (let waitedMs = 0; waitedMs <= syncTimeoutMs; waitedMs += pollMs) {
    const seen = await run.step("sync", (ports) => lookAtRevision(entry, merged, ports));
    if (seen.reached || seen.final) return seen;
    because = seen.because;
    await run.message(pollMs);
  }
  return { reached: false, because };
}

const unnamed = "GitHub did not say which commit the pull request became, so nobody can tell when the cluster holds it";

async function lookAtRevision(
  entry: Entry,
  merged: MergeCommit,
  ports: Pick<Ports, "cluster" | "github">,
): Promise<Synced> {
  if (merged.kind === "unknown") return { reached: false, because: unnamed, final: true };
  const revision = await ports.cluster.appliedRevision(entry).catch(unknownYet);
  if (revision.kind === "unknown") return { reached: false, because: revision.because };
  const { sha, chartSha = sha, because } = revision;
  const name = entry.object ?? "the GitOps controller";
  const why = because === undefined ? "" : ` (${because})`;
  if (!(await ports.github.contains(sha, merged.sha))) {
    return { reached: false, because: `${name} still holds ${sha.slice(0, 7)}${why}` };
  }
  if (chartSha === sha || (await ports.github.contains(chartSha, merged.sha))) return { reached: true, sha };
  return { reached: false, because: `${entry.release ?? name} still runs the chart of ${chartSha.slice(0, 7)}${why}` };
}

/** An API server that was restarted says no until it has read its own rules: what is merged is waited for all the same. */
function unknownYet(error: unknown): { readonly kind: "unknown"; readonly because: string } {
  if (error instanceof Refused) return { kind: "unknown", because: error.message };
  throw error;
}
