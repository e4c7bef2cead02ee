import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { changedFiles, piecesOf, reversePieces, type Sides } from "../../../src/manifests/edit/reverse.ts";

type Files = Readonly<Record<string, string | Uint8Array>>;

function reversal(parent: Files, commit: Files, head: Files) {
  const sides: Sides = { parent: treeOf(parent), commit: treeOf(commit), head: treeOf(head) };
  const paths = changedFiles(sides, [...sides.parent.paths(), ...sides.commit.paths()]);
  const found = piecesOf(sides, paths);
  if (found.kind === "refused") throw new Error(found.because);
  return { pieces: found.pieces, of: (chosen = found.pieces) => reversePieces(sides, chosen) };
}

const one = (parent: string, commit: string, head: string) => reversal({ f: parent }, { f: commit }, { f: head }).of();

describe("the reversal of a commit's hunks", () => {
  test.each<[string, string, string, string, string]>([
    ["what stands alone", "a\nb\nc\n", "a\nB\nc\n", "a\nB\nc\n", "a\nb\nc\n"],
    ["with later lines elsewhere kept", "a\nb\nc\n", "a\nB\nc\n", "a\nB\nc\nd\n", "a\nb\nc\nd\n"],
    ["with a later line directly beside it kept", "a\nb\nc\n", "a\nB\nc\n", "a\nB\nnew\nc\n", "a\nb\nnew\nc\n"],
    ["lines that were added", "a\nc\n", "a\nb\nc\n", "x\na\nb\nc\n", "x\na\nc\n"],
    ["lines that were taken away", "a\nb\nc\n", "a\nc\n", "a\nc\nd\n", "a\nb\nc\nd\n"],
    ["Windows line ends", "a\r\nb\r\n", "a\r\nB\r\n", "a\r\nB\r\nc\r\n", "a\r\nb\r\nc\r\n"],
    ["a byte order mark", "\ufeffa\nb\n", "\ufeffa\nB\n", "\ufeffa\nB\n", "\ufeffa\nb\n"],
    ["a last line without an end", "a\nb", "a\nB", "z\na\nB", "z\na\nb"],
    ["two hunks at once", "a\nb\nc\nd\ne\n", "A\nb\nc\nd\nE\n", "A\nb\nC\nd\nE\n", "a\nb\nC\nd\ne\n"],
  ])("takes out %s, byte for byte", (...[, parent, commit, head, after]) => {
    expect(one(parent, commit, head)).toEqual({ kind: "reversed", files: [{ path: "f", before: head, after }] });
  });

  test.each<[string, string, string, string, number]>([
    ["the same line", "a\nb\nc\n", "a\nB\nc\n", "a\nBB\nc\n", 2],
    ["the gap where it took lines away", "a\nb\nc\n", "a\nc\n", "a\nx\nc\n", 2],
    ["only one of its lines", "a\nb\nc\n", "a\nB\nC\n", "a\nB\nX\n", 2],
  ])("refuses where later commits changed %s", (...[, parent, commit, head, line]) => {
    expect(one(parent, commit, head)).toEqual({ kind: "conflict", path: "f", line });
  });

  test("does nothing where a hunk is gone already", () => {
    expect(one("a\nb\nc\n", "a\nB\nc\n", "a\nb\nc\nd\n")).toEqual({ kind: "reversed", files: [] });
  });

  test("takes a file away that the commit added, and brings one back that it deleted", () => {
    const { of } = reversal({ old: "o\n", k: "1" }, { new: "n\n", k: "1" }, { new: "n\n", k: "2" });
    expect(of()).toEqual({
      kind: "reversed",
      files: [
        { path: "new", before: "n\n", after: null },
        { path: "old", before: null, after: "o\n" },
      ],
    });
  });

  test("never takes an added file away that was changed since", () => {
    expect(reversal({}, { f: "a\n" }, { f: "a\nb\n" }).of()).toEqual({ kind: "conflict", path: "f", line: 0 });
  });

  test("takes out only the pieces that were chosen", () => {
    const { pieces, of } = reversal({ f: "a\nb\nc\n" }, { f: "A\nb\nC\n" }, { f: "A\nb\nC\n" });
    expect(of(pieces.slice(1))).toMatchObject({ files: [{ after: "A\nb\nc\n" }] });
  });

  test("takes no binary file apart", () => {
    const binary = (byte: number) => ({ f: new Uint8Array([0xff, 0, byte]) });
    const sides = { parent: treeOf(binary(1)), commit: treeOf(binary(2)) };
    expect(piecesOf(sides, ["f"])).toEqual({ kind: "refused", because: "f is not UTF-8 text" });
  });

  test("any commit on its own head goes back to its parent", () => {
    const text = fc
      .array(fc.constantFrom("a\n", "b\n", "c\n", "d\r\n", "\n"), { maxLength: 12 })
      .map((l) => l.join(""));
    fc.assert(
      fc.property(text, text, (parent, commit) => {
        const done = one(parent, commit, commit);
        return done.kind === "reversed" && (parent === commit || done.files[0]?.after === parent);
      }),
    );
  });

  test("a line that only later commits wrote is never lost", () => {
    const lines = fc.uniqueArray(
      fc.nat({ max: 99 }).map((n) => `l${n}\n`),
      { minLength: 3, maxLength: 12 },
    );
    fc.assert(
      fc.property(lines, fc.nat(), fc.nat(), (base, at, later) => {
        const commit = base.map((line, index) => (index === at % base.length ? "bad\n" : line));
        const head = [...commit.slice(0, later % base.length), "later\n", ...commit.slice(later % base.length)];
        const done = one(base.join(""), commit.join(""), head.join(""));
        return (
          done.kind === "reversed" &&
          done.files[0]?.after === head.join("").replace("bad\n", base[at % base.length] ?? "")
        );
      }),
    );
  });
});
