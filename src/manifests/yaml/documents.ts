import type { Document, ListNode, MapEntry, MapNode, Node, ScalarNode } from "./nodes.ts";
import { scalarText, type YamlEvent } from "./yaml.ts";

interface Frame {
  readonly node: MapNode | ListNode;
  readonly entries?: Map<string, MapEntry>;
  readonly items?: Node[];
  key?: ScalarNode;
}

/** The documents of a stream of events, their nodes placed in `file`; aliases of nothing are put into `lost`. */
export function documentsOf(
  events: readonly YamlEvent[],
  visible: string,
  file: { readonly path: string; readonly text: string },
  lost: Node[],
): Document[] {
  const anchors = new Map<string, Node>();
  const documents: Document[] = [];
  let frames: Frame[] = [];
  let root: Node | undefined;
  let duplicate: Document["duplicate"];
  const place = (node: Node): void => {
    const frame = frames.at(-1);
    if (!frame) root = node;
    else if (frame.items) frame.items.push(node);
    else if (!frame.key) frame.key = node.kind === "scalar" ? node : { ...absent(file), parent: frame.node };
    else {
      const { key } = frame;
      if (key.text !== "<<" && frame.entries?.has(key.text)) duplicate ??= { key: key.text, at: key.start };
      frame.entries?.set(key.text, { key, value: node });
      frame.key = undefined;
    }
    if (frame) node.parent = frame.node;
  };
  for (const event of events) {
    if (event.type === 1) {
      anchors.clear();
      frames = [];
      root = duplicate = undefined;
    } else if (event.type === 6) {
      const frame = frames.pop();
      if (frame) close(frame, visible);
      else documents.push({ root: root ?? absent(file), ...(duplicate ? { duplicate } : {}) });
    } else {
      const frame = opened(event, visible, file, anchors);
      const node = "node" in frame ? frame.node : frame;
      if (node.anchor !== undefined && node.kind !== "alias") anchors.set(node.anchor, node);
      if (node.kind === "alias" && !node.target) lost.push(node);
      place(node);
      if ("node" in frame) frames.push(frame);
    }
  }
  return documents;
}

function opened(
  event: Exclude<YamlEvent, { type: 1 } | { type: 6 }>,
  visible: string,
  file: { readonly path: string; readonly text: string },
  anchors: ReadonlyMap<string, Node>,
): Frame | Node {
  const anchor = event.anchorStart >= 0 ? { anchor: visible.slice(event.anchorStart, event.anchorEnd) } : {};
  if (event.type === 5) {
    const target = anchors.get(anchor.anchor ?? "");
    if (target) target.aliased = true;
    return { kind: "alias", file, start: event.anchorStart - 1, end: event.anchorEnd, target };
  }
  if (event.type === 4) {
    const quoted = event.style === 2 || event.style === 3;
    const style = (["plain", "plain", "single", "double", "literal", "folded"] as const)[event.style] ?? "plain";
    const edge = quoted ? 1 : 0;
    const [start, end] = event.valueStart < 0 ? [-1, -1] : [event.valueStart - edge, event.valueEnd + edge];
    const tagged = event.tagStart >= 0;
    return {
      kind: "scalar",
      file,
      start,
      end,
      ...anchor,
      text: scalarText(visible, event),
      style,
      tagged,
      indent: event.indent,
    };
  }
  const common = { file, start: event.start, end: event.start, flow: event.style === 2, ...anchor };
  if (event.type === 2) {
    const items: Node[] = [];
    return { node: { kind: "list", ...common, items }, items };
  }
  const entries = new Map<string, MapEntry>();
  const node: MapNode = { kind: "map", ...common, entries, layers: [] };
  (node.layers as MapNode[]).push(node);
  return { node, entries };
}

/** Sets the end of a collection: its closing bracket, or the end of its last written child. */
function close(frame: Frame, visible: string): void {
  const children = frame.items ?? [...(frame.entries?.values() ?? [])].flatMap(({ key, value }) => [key, value]);
  let end = children.reduce((last, child) => Math.max(last, child.end), frame.node.start);
  if (frame.node.flow) {
    if (children.length === 0) end += 1;
    end = /^(?:[\s,:?]|#[^\n]*\n)*[\]}]/.exec(visible.slice(end))?.[0].length ?? 0;
    end +=
      children.length === 0 ? frame.node.start + 1 : children.reduce((l, c) => Math.max(l, c.end), frame.node.start);
  }
  (frame.node as { end: number }).end = end;
}

function absent(file: { readonly path: string; readonly text: string }): ScalarNode {
  return { kind: "scalar", file, start: -1, end: -1, text: "", style: "plain", tagged: false, indent: -1 };
}
