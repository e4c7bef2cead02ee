import fc from "fast-check";
import type { WantedChange } from "../../src/domain/kubernetes/manifest-edit.ts";
import { treeOf } from "../../src/domain/kubernetes/tree.ts";
import { locate } from "../../src/manifests/locate/locate.ts";
import { differences } from "../../src/manifests/edit/proof.ts";
import { kubernetesScalar } from "../../src/manifests/yaml/scalar.ts";
import { at, parseText } from "../../src/manifests/yaml/source.ts";

/** A manifest in some style with one wanted change, and where the change must be seen. */
interface EditCase {
  readonly text: string;
  readonly change: WantedChange;
  readonly document: number;
  readonly path: readonly (string | number)[];
  readonly present: boolean;
}

interface Style {
  readonly indent: number;
  readonly listIndent: number;
  readonly eol: "\n" | "\r\n";
  readonly bom: boolean;
  readonly finalNewline: boolean;
  readonly comment: string;
  readonly quote: "" | '"' | "'";
  readonly flow: boolean;
  readonly gap: string;
  readonly before: number;
  readonly after: number;
  readonly present: boolean;
  readonly literal: boolean;
}

const styles: fc.Arbitrary<Style> = fc.record({
  indent: fc.integer({ min: 1, max: 8 }),
  listIndent: fc.integer({ min: 0, max: 4 }),
  eol: fc.constantFrom("\n", "\r\n"),
  bom: fc.boolean(),
  finalNewline: fc.boolean(),
  comment: fc.constantFrom("", " # usual load", "   #x", "\t# tab", " # größer 漢字 🙂"),
  quote: fc.constantFrom("", '"', "'"),
  flow: fc.boolean(),
  gap: fc.constantFrom(" ", "  ", "      "),
  before: fc.integer({ min: 0, max: 2 }),
  after: fc.integer({ min: 0, max: 2 }),
  present: fc.boolean(),
  literal: fc.boolean(),
});

const changes: fc.Arbitrary<WantedChange> = fc.oneof(
  fc.record({ kind: fc.constant("replicas" as const), to: fc.integer({ min: 1, max: 500 }) }),
  fc.record({
    kind: fc.constant("resources" as const),
    field: fc.constantFrom("limits.memory", "limits.cpu", "requests.memory", "requests.cpu"),
    to: fc.constantFrom("512Mi", "2", "1.5", "750m", "3Gi"),
  }),
  fc.record({
    kind: fc.constant("image-tag" as const),
    to: fc.stringMatching(/^[a-z1-9][a-z0-9]{0,5}(\.[0-9]{1,3}){0,2}$/).filter((tag) => tag !== "1.0"),
  }),
);

export const editCases: fc.Arbitrary<EditCase> = fc
  .tuple(styles, changes, fc.integer({ min: 501, max: 999 }))
  .map(([style, change, count]) => caseOf(style, change, count));

/** What is wrong with the edit of a case; undefined when it holds: one range changed, one field differs, it reads back. */
export function violation({ text, change, document, path, present }: EditCase): string | undefined {
  const outcome = locate(treeOf({ "apps/web.yaml": text }), {
    workload: { kind: "Deployment", namespace: "shop", name: "web", container: "app" },
    change,
    entry: { tool: "plain", path: "apps" },
  });
  if (outcome.kind === "refused") return `refused: ${outcome.because}`;
  const [file] = outcome.files;
  if (!file || outcome.files.length !== 1 || file.before !== text) return "not one file";
  const [left, right] = [parseText("a", text, text), parseText("a", file.after, file.after)];
  if (!left.ok || !right.ok) return "the text does not parse";
  const found = differences(
    left.file.documents.map((one) => one.root),
    right.file.documents.map((one) => one.root),
  );
  const [difference] = found;
  if (!difference || found.length !== 1) return `${found.length} fields differ`;
  const wanted = [document, ...path].join("/");
  if (!wanted.startsWith(difference.path.join("/"))) return `${difference.path.join("/")} differs instead of ${wanted}`;
  const leaf = at(right.file.documents[document]?.root, path);
  const value = leaf?.kind === "scalar" ? kubernetesScalar(leaf) : undefined;
  const expected = change.kind === "image-tag" ? `registry.example:5000/web:${change.to}` : change.to;
  if (value !== expected && String(value) !== expected) return `reads ${String(value)} instead of ${expected}`;
  return outsideChanged(text, file.after, present, change);
}

/** Bytes before and after the changed range must be those of the old text; a replaced value stays on its line. */
function outsideChanged(before: string, after: string, present: boolean, change: WantedChange): string | undefined {
  let head = 0;
  while (head < before.length && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < Math.min(before.length, after.length) - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  const removed = before.slice(head, before.length - tail);
  const added = after.slice(head, after.length - tail);
  if (!present && removed !== "") return `an insertion removed ${JSON.stringify(removed)}`;
  if (present && /[\r\n]/.test(removed + added)) return `a replacement touched a line end: ${JSON.stringify(added)}`;
  if (present && removed.length > 40) return `too much removed: ${removed}`;
  const eols = (text: string): string => (/\r\n/.test(text) ? (/(?:^|[^\r])\n/.test(text) ? "mixed" : "crlf") : "lf");
  if (eols(after) !== eols(before) && /\n/.test(before)) return `line ends turned ${eols(after)} (${change.kind})`;
  return undefined;
}

function caseOf(style: Style, change: WantedChange, count: number): EditCase {
  const present = style.present || change.kind === "image-tag";
  const lines = Array.from({ length: style.before }, (_, n) => [...other(style, `before-${n}`), "---"]).flat();
  const workload = manifest(style, change, present, count);
  const rest = Array.from({ length: style.after }, (_, n) => ["---", ...other(style, `after-${n}`)]).flat();
  const body = [...lines, ...workload, ...rest].join(style.eol);
  const text = `${style.bom ? "\ufeff" : ""}${body}${style.finalNewline ? style.eol : ""}`;
  const container = ["spec", "template", "spec", "containers", 1];
  const path =
    change.kind === "replicas"
      ? ["spec", "replicas"]
      : change.kind === "image-tag"
        ? [...container, "image"]
        : [...container, "resources", ...(change.kind === "resources" ? change.field.split(".") : [])];
  return { text, change, document: style.before, path, present };
}

const other = (style: Style, name: string): string[] => [
  "apiVersion: v1",
  "kind: ConfigMap",
  `metadata: {name: ${name}}`,
  ...(style.literal
    ? ["data:", `  notes: |`, "    replicas: 7", "", "    # not a comment"]
    : ["data: {replicas: '7'}"]),
];

/** The Deployment: its second container is the wanted one, the first carries the same keys. */
function manifest(style: Style, change: WantedChange, present: boolean, count: number): string[] {
  const pad = (level: number): string => " ".repeat(style.indent * level);
  const quoted = (value: string): string => `${style.quote}${value}${style.quote}`;
  const replicas =
    change.kind === "replicas" && present ? [`${pad(1)}replicas:${style.gap}${count}${style.comment}`] : [];
  const item = pad(3) + " ".repeat(style.listIndent);
  const inner = `${item}  `;
  const deep = " ".repeat(style.indent);
  const [group, name] = change.kind === "resources" ? change.field.split(".") : ["limits", "memory"];
  const written = change.kind === "resources" && present;
  const resources = style.flow
    ? [`${inner}resources: {${written ? `${group}: {${name}: ${quoted("100m")}}` : "claims: []"}}${style.comment}`]
    : written
      ? [
          `${inner}resources:`,
          `${inner}${deep}${group}:`,
          `${inner}${deep}${deep}${name}:${style.gap}${quoted("100m")}${style.comment}`,
        ]
      : [`${inner}resources:${style.comment}`, `${inner}${deep}claims: []`];
  const command = style.literal
    ? [`${inner}args:`, `${inner}- |`, `${inner}  image: none`, `${inner}  replicas: 3`]
    : [];
  return [
    "apiVersion: apps/v1",
    "kind: Deployment",
    "metadata:",
    `${pad(1)}name: ${quoted("web")}`,
    "spec:",
    ...replicas,
    `${pad(1)}template:`,
    `${pad(2)}spec:`,
    `${pad(3)}containers:`,
    `${item}- name: first`,
    `${inner}image: registry.example:5000/web:1.0`,
    `${inner}resources: {limits: {memory: 100m, cpu: 100m}, requests: {memory: 100m, cpu: 100m}}`,
    `${item}- name: app`,
    `${inner}image:${style.gap}${quoted("registry.example:5000/web:1.0")}${style.comment}`,
    ...resources,
    ...command,
  ];
}
