import type { Concern } from "../../domain/incident/incident.ts";
import { type Workload, workloadKey } from "../../domain/kubernetes/workload.ts";
import { oneLine } from "../../domain/text/one-line.ts";
import { repositoryNamed } from "../../domain/text/repository-address.ts";
import { ownerOf } from "../../manifests/gitops/own-repository.ts";
import { isKnownFailure, Unavailable } from "../../ports/errors.ts";
import type { ChartSources, Cluster } from "../../ports/kubernetes.ts";
import type { Concerns } from "../../ports/monitoring.ts";
import type { Clock } from "../../ports/runtime.ts";
import { nameOf, type Repository } from "../../settings/repository.ts";
import { keepNewest } from "../../domain/text/keep-newest.ts";

interface Serving {
  readonly own: Repository;
  /** In the order of the settings: the first keeps what is nobody's. */
  readonly all: readonly Repository[];
  /** Takes every listed repository for ours, so that each process sees the same source of a workload. */
  readonly cluster: Pick<Cluster, "workload" | "entryOf"> & ChartSources;
  readonly clock: Clock;
}

/** What the source of a workload says of who sees to it. */
type Owner =
  | { readonly kind: "listed"; readonly repository: Repository }
  | { readonly kind: "stray"; readonly because: string; readonly line: string }
  | { readonly kind: "unknown"; readonly because: string };

// A workload may move to another repository; an alert of it is looked at more often.
const keptMs = 60_000;
const mostKept = 5_000;
const longestName = 200;

/**
 * Of all alerts those whose workload is read from this repository: its source decides, and each process decides alike.
 * What is read from none of the list, or from nobody knows where, is the first one's to put on record.
 */
export function ownConcerns(inner: Concerns, serving: Serving): Concerns {
  const { own, all, clock } = serving;
  const [first = own] = all;
  const isOwn = (repository: Repository) => nameOf(repository) === nameOf(own);
  const keepsStrays = isOwn(first);
  const kept = new Map<string, { readonly owner: Owner; readonly until: number }>();
  const ownerFor = async (workload: Workload): Promise<Owner> => {
    const key = workloadKey(workload);
    const before = kept.get(key);
    const now = clock.now().getTime();
    if (before !== undefined && now < before.until) return before.owner;
    const owner = await ownerOfWorkload(workload, serving);
    if (owner.kind === "unknown") kept.delete(key);
    else keepNewest(kept, key, { owner, until: now + keptMs }, mostKept);
    return owner;
  };
  return {
    of: async (alert) => {
      const concern = await inner.of(alert);
      // Whose it is may be open, but never that nobody knows whether it fires.
      if (concern.kind === "unknown") return concern;
      // No other process reads these guardrails: what they say of an alert is on record nowhere else.
      const isSaidHere = concern.kind === "ignored" || ("mapping" in concern && concern.mapping !== undefined);
      if (concern.kind !== "workload") return keepsStrays || isSaidHere ? concern : leftTo(first);
      const { workload } = concern;
      const owner = await ownerFor(workload);
      if (owner.kind === "unknown") return owner;
      if (owner.kind === "stray")
        return keepsStrays || isSaidHere ? { ...owner, kind: "nobody", workload } : leftTo(first, workload);
      if (isOwn(owner.repository)) return concern;
      return isSaidHere ? misplaced(concern, owner.repository) : leftTo(owner.repository, workload);
    },
  };
}

function leftTo(repository: Repository, workload?: Workload): Concern {
  const because = `it is left to the repository ${nameOf(repository)}`;
  return { kind: "beside", because, ...(workload === undefined ? {} : { workload }) };
}

/** The other one does not know this mapping: without it the alert may lead nowhere there. */
function misplaced({ workload, mapping = "" }: Extract<Concern, { kind: "workload" }>, to: Repository): Concern {
  return {
    ...{ kind: "nobody", workload },
    because: `${mapping} maps it to ${workloadKey(workload)}, which the repository ${nameOf(to)} declares`,
    line: `move ${mapping} to the guardrails of ${nameOf(to)}`,
  };
}

async function ownerOfWorkload(workload: Workload, { all, cluster }: Serving): Promise<Owner> {
  try {
    const live = await cluster.workload(workload);
    const what = workloadKey(workload);
    if (live === undefined) return stray(`${what} is not on the cluster, so that nobody knows its repository`);
    const entry = await cluster.entryOf(live);
    const isChart = entry.object !== undefined && entry.path === null;
    const repository = isChart ? await cluster.declaredIn(entry) : entry.repository;
    return ownerByEntry({ ...entry, repository, isChart }, what, all);
  } catch (error) {
    if (!isKnownFailure(error)) throw error;
    // Only what may be answered later is open: a kind that we do not know would leave recovery open for good, everywhere.
    if (error instanceof Unavailable) return { kind: "unknown", because: error.message };
    return { kind: "stray", because: error.message, line: readableLine };
  }
}

interface Source {
  readonly object?: string;
  readonly repository: string | undefined;
  readonly isChart: boolean;
}

function ownerByEntry({ object, repository, isChart }: Source, what: string, all: readonly Repository[]): Owner {
  if (object === undefined) return stray(`no GitOps controller marks ${what} as its own`);
  if (repository === undefined && isChart)
    return stray(`${object} installs a chart, and which repository declares it is not known`);
  if (repository === undefined) return stray(`the address of the repository that ${object} reads is not known`);
  const found = ownerOf(repository, all);
  if (found !== undefined) return { kind: "listed", repository: found };
  const source = oneLine(repository, longestName);
  const name = repositoryNamed(repository);
  const list = [...all.map(nameOf), ...(name === undefined ? [] : [oneLine(name, longestName)])].join(",");
  return {
    ...{ kind: "stray", because: `${object} reads ${what} from ${source}, which RECTIFY_REPOSITORY does not list` },
    line: `RECTIFY_REPOSITORY=${list}, or its address in RECTIFY_SOURCE_URLS where it is a mirror of one of them`,
  };
}

const readableLine =
  "let the alert lead to a workload that Rectify can read (alerts in the guardrails), or let Rectify read this one";

function stray(because: string): Owner {
  const line =
    "let a Flux Kustomization or an Argo CD Application of a directory, with the address of its source, apply it";
  return { kind: "stray", because, line };
}
