/** Which model made a vector. Vectors of two models are never compared. */
export interface EmbeddingModel {
  /** Name and version, or the digest that the model server gives. */
  readonly digest: string;
  readonly dimension: number;
}

/** The embedding below, used when no model server gives a better one. A change of its rules needs a new digest. */
export const lexicalModel: EmbeddingModel = { digest: "lexical-1", dimension: 768 };

/**
 * A vector of length 1 that depends on the text alone; texts that share words and word parts lie close.
 *
 * Rules: NFKC, lower case, every run of digits becomes `0`; words are runs of letters and digits, and parts of
 * camelCase count as words too. Features are words (weight 1), neighbouring words (0.7) and the three-letter parts of
 * `<word>` (0.3), each times 1 + ln(count). A feature adds its weight, with a sign, at one place: both from its
 * hash ("feature hashing", Weinberger et al. 2009). A text without words gives the zero vector.
 */
export function lexicalEmbedding(text: string): Float32Array {
  const sums = new Float64Array(lexicalModel.dimension);
  for (const [feature, count] of featuresOf(text)) {
    const hash = hashOf(feature);
    const sign = hash >>> 31 === 0 ? 1 : -1;
    const place = (hash & 0x7fffffff) % sums.length;
    sums[place] = (sums[place] ?? 0) + sign * (weightByKind[feature[0] ?? ""] ?? 0) * (1 + Math.log(count));
  }
  return normalised(sums);
}

/** The vector with length 1; zero stays zero. */
export function normalised(vector: ArrayLike<number>): Float32Array {
  let squares = 0;
  for (let i = 0; i < vector.length; i++) squares += (vector[i] ?? 0) ** 2;
  const scale = squares > 0 ? 1 / Math.sqrt(squares) : 0;
  return Float32Array.from(vector, (value) => value * scale);
}

/** Longer texts are cut: what hurts is said first. */
const longestText = 8_000;

// The first letter of a feature is its kind.
const weightByKind: Readonly<Record<string, number>> = { w: 1, p: 0.7, t: 0.3 };

function featuresOf(text: string): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (feature: string): void => void counts.set(feature, (counts.get(feature) ?? 0) + 1);
  let before = "";
  for (const word of wordsOf(text)) {
    add(`w${word}`);
    if (before !== "") add(`p${before} ${word}`);
    before = word;
    const marked = `<${word}>`;
    for (let i = 0; i + 3 <= marked.length; i++) add(`t${marked.slice(i, i + 3)}`);
  }
  return counts;
}

function wordsOf(text: string): string[] {
  const split = text
    .slice(0, longestText)
    .normalize("NFKC")
    .replace(/(\p{Ll})(\p{Lu})/gu, "$1 $2");
  return (
    split
      .toLowerCase()
      .replace(/\p{N}+/gu, "0")
      .match(/[\p{L}\p{N}]+/gu) ?? []
  );
}

// FNV-1a over UTF-16 units, then the last step of MurmurHash3 so that high and low bits are equally mixed.
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
