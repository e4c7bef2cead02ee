import { type FieldProblem, type Guardrails, parseGuardrails } from "../../domain/guardrails/guardrails.ts";
import { entriesOf, lineOf, type Node, parseSource, resolved } from "../yaml/source.ts";
import { parseYamlDocuments } from "../yaml/yaml.ts";

/** What is wrong at which line (from 1); `text` names the field and the remedy. */
export interface LineProblem {
  readonly line: number;
  readonly text: string;
}

type ReadGuardrails =
  | { readonly ok: true; readonly value: Guardrails }
  | { readonly ok: false; readonly problems: readonly LineProblem[] };

// Far more than any guardrails need; what is bigger was not written for us.
const mostBytes = 256 * 1024;

// Each look of each workflow reads them, and they hardly ever change.
let last: { readonly bytes: Uint8Array; readonly read: ReadGuardrails } | undefined;

/** The guardrails as people wrote them. Every problem at once, each with its line. */
export function readGuardrails(bytes: Uint8Array): ReadGuardrails {
  if (last === undefined || Buffer.compare(last.bytes, bytes) !== 0)
    last = { bytes: Uint8Array.from(bytes), read: readAnew(bytes) };
  return last.read;
}

function readAnew(bytes: Uint8Array): ReadGuardrails {
  const at = (line: number, text: string): ReadGuardrails => ({ ok: false, problems: [{ line, text }] });
  if (bytes.length > mostBytes) return at(1, `the file: has ${bytes.length} bytes, at most ${mostBytes} are read`);
  const text = new TextDecoder().decode(bytes);
  const parsed = parseYamlDocuments(text);
  if (!parsed.ok) {
    const [, line] = /\((\d+):\d+\)/.exec(parsed.problem) ?? [];
    return at(Number(line ?? 1), `the file: is not YAML that can be read: ${parsed.problem}`);
  }
  if (parsed.value.length > 1) return at(1, "the file: holds more than one document: leave the lines with --- out");
  const read = parseGuardrails(parsed.value[0]);
  if (read.ok) return read;
  const source = parseSource("", bytes);
  const root = source.ok ? source.file.documents[0]?.root : undefined;
  return { ok: false, problems: read.problems.map((problem) => placed(problem, root)).sort((a, b) => a.line - b.line) };
}

/** The line of the field, or of the nearest one around it that is written down. */
function placed({ field, text }: FieldProblem, root: Node | undefined): LineProblem {
  let offset = 0;
  let here = resolved(root);
  for (const step of field) {
    if (here?.kind === "map") {
      const entry = entriesOf(here).get(String(step));
      if (entry === undefined) break;
      offset = entry.key.start;
      here = resolved(entry.value);
    } else if (here?.kind === "list") {
      here = resolved(here.items[Number(step)]);
      offset = here === undefined ? offset : here.start;
    } else break;
  }
  return { line: root === undefined ? 1 : lineOf(root.file.text, Math.max(0, offset)), text };
}
