import { changesBetween, effectOf } from "../../domain/kubernetes/effect.ts";
import type { Incident } from "../../domain/incident/incident.ts";
import type { Effect, Entry, ObjectChange } from "../../domain/kubernetes/manifest-edit.ts";
import { type CommitReversal, type Remediation, renderRemediation } from "../../domain/kubernetes/remediation.ts";
import type { RenderedObject } from "../../domain/kubernetes/rendered.ts";
import { realPath, type Tree } from "../../domain/kubernetes/tree.ts";
import type { LiveWorkload } from "../../domain/kubernetes/workload.ts";
import { credentialChanged } from "../../domain/remedy/reversal/credentials.ts";
import { forbiddenReversal } from "../../domain/remedy/reversal/limits.ts";
import { ownOutOfBounds } from "../../domain/remedy/reversal/namespaces.ts";
import { proveReversal } from "../../domain/remedy/reversal/proof.ts";
import { gateFilesIn } from "../../domain/gate/gate-files.ts";
import { keysBetween, touchedBy } from "../../domain/root-cause/changes/touched.ts";
import { piecesOf, type Piece, type ReversedFile, reversePieces, type Sides } from "../../manifests/edit/reverse.ts";
import type { Ports } from "../../ports/ports.ts";
import { candidateFiles } from "./candidate-files.ts";
import { conflictText } from "./later-commit.ts";
import { nameOf, otherEntries, type Renderings, renderSides, withFiles } from "./other-entries.ts";
import type { Planned } from "./planned.ts";
import { rivalOf } from "./rival-commit.ts";
import { doubtInLines } from "./source-lines.ts";

type Asked = Pick<Ports, "github" | "renderer" | "telemetry">;

/** What a reversal is planned from. */
interface Reversing {
  readonly incident: Incident;
  readonly remediation: Remediation & { readonly change: CommitReversal };
  readonly live: LiveWorkload;
  readonly entry: Entry;
  readonly head: { readonly sha: string; readonly tree: Tree };
  /** Where the guardrails allow a change. */
  readonly namespaces: readonly string[];
}

/** Takes a commit's hunks out of today's files and proves by rendering that just its effect goes. Fails closed. */
export async function planReversal(asked: Reversing, ports: Asked): Promise<Planned> {
  const { remediation, entry, head, live, incident, namespaces } = asked;
  const { change } = remediation;
  const commits = await ports.github.commitsSince(new Date(0));
  const mark = commits.find(({ sha }) => sha === change.sha);
  const short = change.sha.slice(0, 7);
  if (mark?.parent === undefined)
    return refused(`commit ${short} is not among the last ${commits.length} of the branch`);
  const [parent, commit] = [await ports.github.at(mark.parent), await ports.github.at(mark.sha)];
  const sides: Sides = { parent, commit, head: head.tree };
  const files = candidateFiles(sides, entry, change.scope);
  const link = files.paths.find((path) => realPath(head.tree, path) !== path);
  if (link !== undefined) return refused(`${link} is behind a symbolic link today: revert commit ${short} by hand`);
  const found = piecesOf(sides, files.paths);
  if (found.kind === "refused") return refused(`${found.because}: revert commit ${short} by hand`);
  if (found.pieces.length === 0) return refused(`commit ${short} changed no file that ${nameOf(entry)} reads`);
  const renderings = await renderSides(sides, entry, ports);
  if (renderings.kind === "refused") return refused(`${renderings.because}: revert commit ${short} by hand`);

  const wanted = touchedBy(renderings, live, change.scope === "workload" ? "related" : "all");
  const search: Search = { sides, entry, pieces: found.pieces, renderings, wanted: wanted.keys, ports };
  const choice = wanted.isEverything ? await attempt(search, found.pieces) : await firstThatHolds(search);
  if (choice.kind === "conflict")
    return refused(await conflictText({ sides, mark, commits, choice, pieces: found.pieces }, ports));
  if (choice.kind === "refused") return refused(`commit ${short} cannot be reverted: ${choice.because}`);
  const doubt = await doubtIn(choice, { asked, sides, mark, commits, renderings }, ports);
  if (doubt !== undefined) return refused(`commit ${short} is not reverted: ${doubt}`);
  const others = await otherEntries({ sides, entry, files: choice.files, namespaces }, ports);
  if (others.kind === "refused") return refused(`commit ${short} cannot be reverted: ${others.because}`);
  const effect = effectOf([...choice.changes, ...others.changes], { kind: "rendered", with: renderings.with });
  const forbidden = forbiddenOf(effect, choice.files);
  if (forbidden !== undefined) return refused(`commit ${short} is not reverted: ${forbidden}`);
  ports.telemetry.log(
    incident.uid,
    "plan",
    `${renderRemediation(remediation)} in ${choice.files.map((f) => f.path).join(", ")}`,
  );
  return {
    ...{ kind: "change", live, entry, baseSha: head.sha, files: choice.files, effect },
    remediation: named(remediation, mark),
    owners: choice.files.map(({ path }) => ({
      path,
      field: "the lines of the commit",
      because: `changed by ${short}`,
    })),
    warnings: [
      ...files.left.map((path) => `${path} is left as the commit made it: ${leftBecause}`),
      ...others.warnings,
    ],
  };
}

interface Found {
  readonly asked: Reversing;
  readonly sides: Sides;
  readonly mark: Mark;
  readonly commits: readonly Mark[];
  readonly renderings: Renderings;
}

/** What speaks against a reversal that the rendering proves: where it lies, who writes it, or what it would land on. */
async function doubtIn(
  { changes, files, after }: Extract<Attempt, { kind: "holds" }>,
  { asked, sides, mark, commits, renderings: { head } }: Found,
  ports: Asked,
): Promise<string | undefined> {
  const { entry, namespaces, incident } = asked;
  const refusal = ownOutOfBounds({ entry, changes, namespaces }) ?? doubtInLines(files);
  if (refusal !== undefined) return refusal;
  const credential = credentialChanged(head, after);
  if (credential !== undefined) return `${credential} would go back to an old credential`;
  const paths = files.map(({ path }) => path);
  return rivalOf({ sides, entry, mark, commits, head, after, paths, alertedAt: incident.startedAt }, ports);
}

const leftBecause = "only people change what decides about merging";

type Mark = Awaited<ReturnType<Ports["github"]["commitsSince"]>>[number];

/** With what people know the commit by. */
function named(remediation: Reversing["remediation"], { subject, author, at }: Mark): Remediation {
  const pull = Number(/\(#(\d{1,9})\)\s*$/.exec(subject ?? "")?.[1] ?? Number.NaN);
  const known = { subject, author, at, ...(Number.isNaN(pull) ? {} : { pull }) };
  return { ...remediation, change: { ...remediation.change, ...known } };
}

function forbiddenOf(effect: Effect, files: readonly ReversedFile[]): string | undefined {
  const [guarded] = gateFilesIn(files.map(({ path }) => path));
  return guarded === undefined ? forbiddenReversal(effect.changes) : `${guarded} decides what may merge`;
}

type Refusal = { readonly kind: "refused"; readonly because: string };

interface Search {
  readonly sides: Sides;
  readonly entry: Entry;
  readonly pieces: readonly Piece[];
  readonly renderings: Renderings;
  /** The objects that must be whole again. */
  readonly wanted: ReadonlySet<string>;
  readonly ports: Asked;
}

type Attempt =
  | {
      readonly kind: "holds";
      readonly files: readonly ReversedFile[];
      readonly changes: readonly ObjectChange[];
      /** What the entry renders to then. */
      readonly after: readonly RenderedObject[];
    }
  | { readonly kind: "conflict"; readonly path: string; readonly line: number }
  | Refusal;

/** These pieces reverted, where the rendering shows that just their effect goes and every wanted object is whole. */
async function attempt(search: Search, pieces: readonly Piece[]): Promise<Attempt> {
  const reversed = reversePieces(search.sides, pieces);
  if (reversed.kind === "conflict") return reversed;
  if (reversed.files.length === 0) return { kind: "refused", because: "nothing of it is left in the files" };
  const after = await search.ports.renderer.render(withFiles(search.sides.head, reversed.files), search.entry);
  if (after.kind === "unsupported") return { kind: "refused", because: after.because };
  const { parent, commit, head } = search.renderings;
  const proof = proveReversal({ parent, commit, head, after: after.objects }, search.wanted);
  if (proof.kind === "refused") return proof;
  const changes = changesBetween(head, after.objects);
  return { kind: "holds", files: reversed.files, changes, after: after.objects };
}

// A commit with more pieces than this is not taken apart piece by piece.
const mostPieces = 40;

/** The fewest pieces whose reversal makes the wanted objects whole: those that touch them, then what these need. */
async function firstThatHolds(search: Search): Promise<Attempt> {
  const { pieces } = search;
  const whole = pieces.length > mostPieces ? [pieces] : await choices(search);
  let last: Attempt = { kind: "refused", because: "nothing of it is left in the files" };
  for (const chosen of whole) {
    if (chosen.length === 0) continue;
    last = await attempt(search, chosen);
    if (last.kind === "holds") return last;
  }
  return last;
}

async function choices(search: Search): Promise<readonly (readonly Piece[])[]> {
  const { sides, entry, pieces, renderings, wanted, ports } = search;
  const hurting: Piece[] = [];
  const elsewhere: Piece[] = [];
  for (const piece of pieces) {
    const reversed = reversePieces(sides, [piece]);
    const after =
      reversed.kind === "reversed" && (await ports.renderer.render(withFiles(sides.head, reversed.files), entry));
    if (!after || after.kind === "unsupported") continue;
    const changed = keysBetween(renderings.head, after.objects);
    if (changed.some((key) => wanted.has(key))) hurting.push(piece);
    else if (changed.length > 0) elsewhere.push(piece);
  }
  const all = pieces.filter((piece) => !elsewhere.includes(piece));
  return [hurting, all, pieces];
}

function refused(because: string): Planned {
  return { kind: "none", ending: "refused", because };
}
