import type { RenderedObject } from "../../domain/kubernetes/rendered.ts";
import type { Entry } from "../../domain/kubernetes/manifest-edit.ts";
import { fieldsBetween } from "../../domain/root-cause/changes/object-fields.ts";
import { changedFiles, type Sides } from "../../manifests/edit/reverse.ts";
import type { CommitMark } from "../../ports/github.ts";
import type { Ports } from "../../ports/ports.ts";
import { candidateFiles } from "./candidate-files.ts";

/** A reversal that is proved, and when the trouble that it answers was first told. */
interface Settled {
  readonly sides: Sides;
  readonly entry: Entry;
  readonly mark: CommitMark;
  /** Of the branch, newest first. */
  readonly commits: readonly CommitMark[];
  /** What the entry renders to now, and would. */
  readonly head: readonly RenderedObject[];
  readonly after: readonly RenderedObject[];
  /** The files that it changes. */
  readonly paths: readonly string[];
  /** RFC 3339, the alert's first firing. */
  readonly alertedAt: string;
}

/** A commit that ran for less than this before the next one has shown nothing. */
const shortestProofMs = 10 * 60_000;
// Each costs two renderings. Where more commits than this came that close together, nobody can tell them apart.
const mostLooks = 20;

/**
 * Why reverting a commit may land on the broken one before it: another commit set the same field shortly before, and
 * ran for less long than this one took to hurt. Both are named; undefined = the state before ran well.
 */
export async function rivalOf(
  settled: Settled,
  ports: Pick<Ports, "github" | "renderer">,
): Promise<string | undefined> {
  const { commits, mark, alertedAt, head, after } = settled;
  const tookMs = Date.parse(alertedAt) - Date.parse(mark.at);
  const proofMs = Math.max(shortestProofMs, Number.isFinite(tookMs) ? tookMs : 0);
  const place = commits.findIndex(({ sha }) => sha === mark.sha);
  const earlier = commits.slice(place + 1);
  // Clocks of several committers: the list's order is the branch's, so the first that is old enough ends it.
  const end = earlier.findIndex(({ at }) => !(Date.parse(mark.at) - Date.parse(at) < proofMs));
  const near = end < 0 ? earlier : earlier.slice(0, end);
  if (near.length > mostLooks) return `${near.length} commits came shortly before it: decide by hand what to revert`;
  const fields = fieldsBetween(head, after);
  for (const rival of near) {
    const shared = await sharedWith(rival, fields, settled, ports);
    if (shared !== undefined) {
      const both = `commit ${short(mark)} and commit ${short(rival)} shortly before it`;
      return `${both} changed ${shared}, and nothing shows which of both is wrong: decide by hand`;
    }
  }
  return undefined;
}

/** A field that both set; where the other cannot be rendered, a file that both changed. */
async function sharedWith(
  { sha, parent }: CommitMark,
  fields: ReadonlySet<string>,
  { entry, sides, paths }: Settled,
  { github, renderer }: Pick<Ports, "github" | "renderer">,
): Promise<string | undefined> {
  if (parent === undefined) return undefined;
  const [before, then] = [await github.at(parent), await github.at(sha)];
  const around = { parent: before, commit: then, head: sides.head };
  if (candidateFiles(around, entry, "workload").paths.length === 0) return undefined;
  const [left, right] = [await renderer.render(before, entry), await renderer.render(then, entry)];
  if (left.kind === "unsupported" || right.kind === "unsupported") return changedFiles(around, paths)[0];
  return [...fieldsBetween(left.objects, right.objects)].find((field) => fields.has(field));
}

function short({ sha }: CommitMark): string {
  return sha.slice(0, 7);
}
