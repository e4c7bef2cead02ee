import { isRecord } from "../../../domain/kubernetes/rendered.ts";
import type { Tree } from "../../../domain/kubernetes/tree.ts";
import { directoriesOf } from "../../repository/reader.ts";
import { readKubeYaml } from "../../yaml/kube-yaml.ts";

/** A text and the key that it stands under. */
interface KeyedText {
  readonly key: string;
  readonly text: string;
}

/** Which places of the repository some texts name. */
export interface NamedPlaces {
  /** How many of the texts name one of the places. */
  readonly count: (places: ReadonlySet<string>) => number;
}

// What programs fill in: Go templates, Flux variables, ResourceSet inputs, formats of printf.
const filledIn = /\{\{.*?\}\}|\$\{.*?\}|<<.*?>>|%[sdvq]/;

/**
 * Which places texts name, exactly or with a part that a program fills in. Where a path is filled in as a whole, neither
 * by a value that is among the texts nor by one that names any directory that is here, it may be any.
 */
export function namedPlaces(tree: Tree, texts: readonly KeyedText[]): NamedPlaces {
  const values = texts.filter(({ text }) => text !== "" && !filledIn.test(text));
  const given = new Set(values.map(({ key }) => key));
  const spoken = texts.filter(({ key, text }) => text.includes("/") || isPathKey(key));
  const exact = new Map<string, number>();
  const patterns: RegExp[] = [];
  let isOpen = false;
  for (const { key, text } of spoken) {
    const plain = text.replace(/^(?:\.?\/)+|\/+$/g, "");
    if (!filledIn.test(plain)) exact.set(plain, (exact.get(plain) ?? 0) + 1);
    else if (plain.split(new RegExp(filledIn, "g")).some((literal) => /[\w]\/|\/[\w]/.test(literal)))
      patterns.push(patternOf(plain));
    else isOpen ||= isPathKey(key) && !given.has(valueIn(plain) ?? "");
  }
  const isAny = isOpen && ![...exact.keys()].some((place) => place !== "" && directoriesOf(tree).has(place));
  return {
    count: (places) =>
      isAny
        ? 1
        : [...places].reduce((sum, place) => sum + (exact.get(place) ?? 0), 0) +
          patterns.filter((pattern) => [...places].some((place) => pattern.test(place))).length,
  };
}

/** The key of the value that one expression of a Go template is filled in with; undefined for any other text. */
function valueIn(text: string): string | undefined {
  const [, read = ""] = /^\{\{-?\s*([^{}|]*?)\s*(?:\|[^{}]*)?\}\}$/.exec(text) ?? [];
  return /^\(?\$?\w*(?:\.\w+)*\.(\w+)\)?$/.exec(read)?.[1];
}

const isPathKey = (key: string): boolean => /(?:^|[a-z_-])(?:path|paths|chart|directory|dir|folder)$/i.test(key);

function patternOf(text: string): RegExp {
  const literals = text
    .split(new RegExp(filledIn, "g"))
    .map((literal) => literal.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`));
  return new RegExp(`^${literals.join(".+")}$`);
}

/** Every text of a value, with its key; what is YAML inside of a text is read as well. */
export function textsIn(value: unknown, key = "", depth = 0): KeyedText[] {
  if (Array.isArray(value)) return value.flatMap((item) => textsIn(item, key, depth));
  if (isRecord(value)) return Object.entries(value).flatMap(([own, item]) => textsIn(item, own, depth));
  if (typeof value !== "string") return [];
  if (!value.includes("\n")) return value.length < 1_000 ? [{ key, text: value }] : [];
  const inner = depth < 3 ? readKubeYaml(value) : undefined;
  const isText = inner?.ok !== true || inner.value.every((one) => typeof one === "string");
  return isText ? textsOfTemplate(value) : inner.value.flatMap((one) => textsIn(one, key, depth + 1));
}

/** What a template says behind keys of paths, and the texts inside of its expressions; what a loop says, it says twice. */
export function textsOfTemplate(template: string): KeyedText[] {
  const lines = template.matchAll(
    /(?:^|[\s{,"'])(\w*(?:path|chart|directory))["']?:[ \t]*((?:\{\{.*?\}\}|\$\{.*?\}|<<.*?>>|[^,}\n])+)/gim,
  );
  return [...lines].flatMap(({ index, 1: key = "", 2: written = "" }) => {
    const text = written.trim().replace(/^(["'])(.*)\1$/, "$2");
    const inside = [...text.matchAll(/\{\{.*?\}\}/g)].flatMap(([expression]) =>
      [...expression.matchAll(/["'`]([^"'`]*\/[^"'`]*)["'`]/g)].map((found) => ({ key, text: found[1] ?? "" })),
    );
    const said = [{ key, text }, ...inside];
    return isInLoop(template.slice(0, index)) ? [...said, ...said.filter((one) => !filledIn.test(one.text))] : said;
  });
}

/** Whether a loop is still open at the end of the first part of a template. */
function isInLoop(before: string): boolean {
  const open: string[] = [];
  for (const [, word = ""] of before.matchAll(/\{\{-?\s*(range|if|with|define|block|end)\b/g))
    if (word === "end") open.pop();
    else open.push(word);
  return open.includes("range");
}
