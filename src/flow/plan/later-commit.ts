import { type Piece, reversePieces, type Sides } from "../../manifests/edit/reverse.ts";
import type { CommitMark } from "../../ports/github.ts";
import type { Ports } from "../../ports/ports.ts";

interface Conflict {
  readonly sides: Sides;
  readonly mark: CommitMark;
  /** Of the branch, newest first. */
  readonly commits: readonly CommitMark[];
  readonly choice: { readonly path: string; readonly line: number };
  readonly pieces: readonly Piece[];
}

// Reading the files of a commit costs: further back nobody looks.
const mostLooks = 40;

/** Why a commit's lines cannot be taken out: both commits that wrote them are named, and what a person can do. */
export async function conflictText(
  { sides, mark, commits, choice, pieces }: Conflict,
  { github }: Pick<Ports, "github">,
): Promise<string> {
  const { path, line } = choice;
  const later = commits
    .slice(
      0,
      Math.max(
        0,
        commits.findIndex(({ sha }) => sha === mark.sha),
      ),
    )
    .reverse();
  const mine = pieces.filter((piece) => piece.path === path);
  let by = "a later commit";
  for (const { sha } of later.slice(0, mostLooks)) {
    const tree = await github.at(sha);
    if (reversePieces({ ...sides, head: tree }, mine).kind !== "conflict") continue;
    by = `commit ${sha.slice(0, 7)}`;
    break;
  }
  const where = line === 0 ? path : `line ${line} of ${path}`;
  return `${where} was written by commit ${mark.sha.slice(0, 7)} and changed again by ${by}: decide by hand which of both is right`;
}
