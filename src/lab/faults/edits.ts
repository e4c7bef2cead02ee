import type { FaultEdit } from "./fault-file.ts";

type Files = Readonly<Record<string, string>>;

/** The files with the edits made, in their order; null = the file goes. Throws where an edit finds nothing to change. */
export function edited(files: Files, edits: readonly FaultEdit[]): Record<string, string | null> {
  const changed: Record<string, string | null> = {};
  for (const edit of edits) {
    const { file } = edit;
    const now = Object.hasOwn(changed, file) ? (changed[file] ?? null) : (files[file] ?? null);
    changed[file] = afterEdit(now, edit);
  }
  return changed;
}

function afterEdit(now: string | null, edit: FaultEdit): string | null {
  if (edit.delete === true) return null;
  if (edit.content !== undefined) return edit.content;
  if (edit.append !== undefined)
    return `${now === null || now.endsWith("\n") ? (now ?? "") : `${now}\n`}${edit.append}`;
  if (now === null) throw new Error(`${edit.file} is not in the repository`);
  if (edit.replace !== undefined) {
    if (!now.includes(edit.replace)) throw new Error(`${edit.file} does not hold ${JSON.stringify(edit.replace)}`);
    const to = edit.with ?? "";
    return edit.all === true ? now.replaceAll(edit.replace, () => to) : now.replace(edit.replace, () => to);
  }
  return inserted(now, edit);
}

function inserted(now: string, { file, after, before, insert = "" }: FaultEdit): string {
  const wanted = after ?? before;
  if (wanted === undefined) throw new Error(`the edit of ${file} says nothing to change`);
  const lines = now.split("\n");
  const at = lines.findIndex((line) => line.includes(wanted));
  if (at < 0) throw new Error(`${file} does not hold ${JSON.stringify(wanted)}`);
  lines.splice(after === undefined ? at : at + 1, 0, insert.replace(/\n$/, ""));
  return lines.join("\n");
}
