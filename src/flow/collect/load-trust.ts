import { yieldToOthers } from "../../ports/runtime.ts";
import {
  type Ledger,
  ledgerPath,
  type ParsedLedger,
  parseLedger,
  recordPostMortems,
  renderLedger,
} from "../../domain/records/autonomy.ts";
import type { PostMortem } from "../../domain/records/post-mortem.ts";
import { isOurs } from "../../domain/records/precedent.ts";
import type { Tree } from "../../domain/kubernetes/tree.ts";
import { postMortemPaths, readRecord } from "../../manifests/repository/post-mortem-files.ts";
import { parseYaml } from "../../manifests/yaml/yaml.ts";

/** The ledger of earned autonomy at a commit; a missing file is an empty one, an unreadable one earns nothing. */
export function loadLedger(tree: Tree): ParsedLedger {
  const bytes = tree.read(ledgerPath);
  if (bytes === undefined) return parseLedger({});
  const parsed = parseYaml(new TextDecoder().decode(bytes));
  return parsed.ok ? parseLedger(parsed.value) : { ok: false, problems: [parsed.problem] };
}

/** The post-mortems of a commit: those that carry our seal, and the files that do not, each with the reason. */
interface Sealed {
  readonly records: readonly PostMortem[];
  readonly unsealed: readonly { readonly path: string; readonly because: string }[];
}

const filesAtATime = 8;

/**
 * Reads `postmortems/`, a few files at a time: intake and the other workflows go on meanwhile. With `alert`, files that do
 * not even contain its name are passed over unparsed.
 */
export async function sealedIn(tree: Tree, sealKey: string, alert = ""): Promise<Sealed> {
  // Only a plain name stands in the file as it is.
  const about = /^[\w.-]+$/.test(alert) ? alert : "";
  const records: PostMortem[] = [];
  const unsealed: { path: string; because: string }[] = [];
  for (const [place, path] of postMortemPaths(tree).entries()) {
    if (place % filesAtATime === 0) await yieldToOthers();
    const markdown = new TextDecoder().decode(tree.read(path));
    if (!markdown.includes(about)) continue;
    const read = readRecord(markdown);
    if (read.kind === "problem") unsealed.push({ path, because: read.because });
    else if (isOurs(read, sealKey)) records.push(read.postMortem);
    else unsealed.push({ path, because: "unsealed: it does not carry our seal" });
  }
  return { records, unsealed };
}

/** Without the successes that people withdrew since; a failure stays one. */
export function withoutDisputed(records: readonly PostMortem[], withdrawn: readonly string[]): readonly PostMortem[] {
  return records.filter(({ uid, outcome }) => outcome === "failed" || !withdrawn.includes(uid));
}

/** Those of the texts that are post-mortems under our seal. */
export function sealedAmong(texts: readonly string[], sealKey: string): readonly PostMortem[] {
  return texts.flatMap((text) => {
    const read = readRecord(text);
    return read.kind === "post-mortem" && isOurs(read, sealKey) ? [read.postMortem] : [];
  });
}

/**
 * The ledger file as a pull request that carries these post-mortems must leave it, so that both always travel together.
 * Undefined when nothing changes, or when the file at the base is unreadable: then a person mends it first.
 */
export function ledgerWith(base: Tree, carried: readonly PostMortem[]): { path: string; content: string } | undefined {
  const before = loadLedger(base);
  if (!before.ok) return undefined;
  const after: Ledger = recordPostMortems(before.value, carried);
  return after === before.value ? undefined : { path: ledgerPath, content: renderLedger(after) };
}
