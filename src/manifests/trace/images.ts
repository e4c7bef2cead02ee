import { changed } from "./patch.ts";
import { podSpecPath, type Resource } from "../repository/resource.ts";
import { at, itemsAt, type Node, resolved, type ScalarNode, textAt } from "../yaml/source.ts";
import { replaceWithin, type Splice } from "../yaml/splice.ts";
import { reached, type Traces } from "./traces.ts";

/** One `images:` entry: every container that runs the image gets the entry's name, tag or digest. */
export function setImages(entry: Node, resources: readonly Resource[], traces: Traces): void {
  const text = resolved(entry);
  const wanted = text?.kind === "scalar" ? shortImage(text) : longImage(entry);
  if (!wanted) return;
  for (const resource of resources) {
    const path = podSpecPath(resource.kind);
    for (const list of path ? ["containers", "initContainers"] : []) {
      itemsAt(resource.node, [...(path ?? []), list]).forEach((container, index) => {
        const image = at(container, ["image"]);
        if (image?.kind !== "scalar" || imageName(image.text) !== wanted.name) return;
        const made: ScalarNode = { ...image, text: imageAfter(image.text, wanted), start: -1, end: -1 };
        const below = traces.images.get(image);
        const tag = wanted.tag ?? below?.tag ?? image;
        const digest = wanted.digest ?? (wanted.tag ? undefined : below?.digest);
        traces.images.set(made, { tag, ...(digest ? { digest } : {}), entry });
        const node = changed(resource.node, [...(path ?? []), list, String(index), "image"], made);
        if (node.kind === "map") resource.node = node;
        reached(traces, entry, resource);
      });
    }
  }
}

interface WantedImage {
  readonly name: string;
  readonly newName?: string;
  readonly tag?: ScalarNode;
  readonly digest?: ScalarNode;
}

function longImage(entry: Node): WantedImage | undefined {
  const name = textAt(entry, ["name"]);
  const [tag, digest, newName] = [at(entry, ["newTag"]), at(entry, ["digest"]), textAt(entry, ["newName"])];
  if (name === undefined) return undefined;
  return {
    name,
    ...(newName === undefined ? {} : { newName }),
    ...(tag?.kind === "scalar" ? { tag } : {}),
    ...(digest?.kind === "scalar" ? { digest } : {}),
  };
}

/** Argo CD's short form: `name=new:tag` or `name:tag`. */
function shortImage(node: ScalarNode): WantedImage | undefined {
  const [left, right] = node.text.includes("=") ? node.text.split("=", 2) : [node.text, node.text];
  const name = imageName(left ?? "");
  const tagged = right !== undefined && right !== imageName(right);
  return { name, newName: imageName(right ?? name), ...(tagged ? { tag: node } : {}) };
}

function imageAfter(text: string, wanted: WantedImage): string {
  const name = wanted.newName ?? wanted.name;
  if (wanted.digest) return `${name}@${wanted.digest.text}`;
  const tag = wanted.tag
    ? (/[:@][^/]*$/.exec(wanted.tag.text)?.[0] ?? `:${wanted.tag.text}`)
    : text.slice(imageName(text).length);
  return `${name}${tag}`;
}

/** The image's name without tag and digest. */
export function imageName(image: string): string {
  const [named] = image.split("@");
  return (named ?? "").replace(/:[^/:]*$/, "");
}

/** An image without a tag, which Kubernetes takes as the tag `latest`. */
export const untagged = /^[\w.-]+(?::\d+(?=\/))?(?:\/[\w.-]+)*$/;

/** A tag that stands alone, rather than at the end of an image. */
export function isNewTag(node: ScalarNode): boolean {
  return !/[:/=]/.test(node.text) && at(node.parent, ["newTag"]) === node;
}

/** The new tag in place of the one after the colon, or behind an image that names none. */
export function retagged(image: ScalarNode, colon: number | undefined, tag: string): Splice | undefined {
  const { length } = image.text;
  return colon === undefined
    ? replaceWithin(image, length, length, `:${tag}`)
    : replaceWithin(image, colon + 1, length, tag);
}
