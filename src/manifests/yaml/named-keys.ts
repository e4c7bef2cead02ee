import { entriesOf, type Node, resolved } from "./source.ts";

/** `image.tag is owned by CI`: what a comment is about. */
const subject = /^\s*(\S.*?)\s+(?:is|are|comes?|gets?|must|belongs?)\b/;
/** `never edit image.tag by hand`: what nobody shall edit. */
const object =
  /\b(?:edit|change|modify|touch|alter|update)\s+(.+?)(?:\s+(?:here|by\s+hand|manually|directly|yourself)\b.*|[:;!(].*|\.(?:\s.*)?|\s*)$/;

// The patterns take quadratic time in a run of spaces, and nobody names keys in a longer line.
const longestComment = 300;

/**
 * What a comment that says "never edit" is about, seen from a place of its document: keys that stand in there, of which
 * this place is one or not, or else the whole file.
 */
export function guardedBy(comment: string, at: Node): "this key" | "another key" | "the file" {
  if (comment.length > longestComment) return "the file";
  const places = placesIn(rootOf(at), []);
  const own = places.find(({ node }) => node === at)?.path;
  const isThere = (key: Keys) => places.some(({ path }) => holds(path, key));
  const keys = keysIn(subject.exec(comment)?.[1], isThere) ?? keysIn(object.exec(comment)?.[1], isThere);
  if (own === undefined || keys === undefined) return "the file";
  const isAround = (key: Keys) =>
    places.some(({ path }) => own.every((step, n) => step === path[n]) && holds(path, key));
  return keys.some((key) => isAround(key)) ? "this key" : "another key";
}

type Keys = readonly string[];

/** `image.tag and replicas`, where all of it are keys. */
function keysIn(text: string | undefined, isThere: (key: Keys) => boolean): readonly Keys[] | undefined {
  if (text === undefined) return undefined;
  const items = text.split(/\s*,\s*(?:(?:and|or|nor)\s+)?|\s+(?:and|or|nor)\s+/);
  const keys = items.map((item) => /^(?:the\s+)?([`'"]?)([\w-]+(?:\.[\w-]+)*)\1$/.exec(item)?.[2]?.split("."));
  return keys.every((one) => one !== undefined && isThere(one)) ? (keys as Keys[]) : undefined;
}

/** Whether a path leads to a key, or to what stands below it. */
const holds = (path: Keys, key: Keys): boolean =>
  path.some((_, start) => key.every((step, n) => step === path[start + n]));

function rootOf(node: Node): Node {
  let root = node;
  while (root.parent) root = root.parent;
  return root;
}

/** Every place of a document by its keys; items of lists have none. */
function placesIn(node: Node, path: Keys): { readonly path: Keys; readonly node: Node }[] {
  const inside = node.kind === "alias" ? undefined : resolved(node);
  const below =
    inside?.kind === "map"
      ? [...entriesOf(inside)].flatMap(([key, { value }]) => placesIn(value, [...path, key]))
      : inside?.kind === "list"
        ? inside.items.flatMap((item) => placesIn(item, path))
        : [];
  return [{ path, node }, ...below];
}
