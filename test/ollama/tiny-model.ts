import { type GgufTensor, type GgufValue, ggufOf } from "./gguf.ts";

/** The size of the vectors that the model makes. */
export const tinyDimension = 64;

/** `closing`: ends its strings and objects as soon as the grammar lets it. `endless`: writes on for ever. */
export type TinyTemper = "closing" | "endless";

const layers = 2;
const heads = 4;
const keyHeads = 2;
const inner = 128;

/**
 * A Llama of random weights, so small that a server answers in milliseconds. One column is not random: it gives each
 * token a fixed liking, by which the model picks among what the grammar allows. What it says means nothing.
 */
export function tinyModel(temper: TinyTemper): Buffer {
  const tokens = vocabulary();
  return ggufOf(descriptionOf(temper, tokens), tensorsOf(temper, tokens));
}

interface Token {
  readonly text: string;
  readonly kind: "unknown" | "control" | "byte" | "normal";
}

const kinds = { normal: 1, unknown: 2, control: 3, byte: 6 };

/** Every byte, and a token for each printable sign: text costs about one token a sign. */
function vocabulary(): readonly Token[] {
  const bytes = Array.from({ length: 256 }, (_, byte) => ({
    text: `<0x${byte.toString(16).toUpperCase().padStart(2, "0")}>`,
    kind: "byte" as const,
  }));
  const signs = Array.from({ length: 94 }, (_, index) => String.fromCharCode(33 + index));
  return [
    { text: "<unk>", kind: "unknown" },
    { text: "<s>", kind: "control" },
    { text: "</s>", kind: "control" },
    ...bytes,
    // Space, as this kind of tokenizer writes it.
    ...["\u2581", ...signs].map((text) => ({ text, kind: "normal" as const })),
  ];
}

function descriptionOf(temper: TinyTemper, tokens: readonly Token[]): Readonly<Record<string, GgufValue>> {
  return {
    "general.architecture": { text: "llama" },
    "general.name": { text: `rectify-${temper}` },
    "general.file_type": { u32: 1 },
    "llama.block_count": { u32: layers },
    "llama.context_length": { u32: 32_768 },
    "llama.embedding_length": { u32: tinyDimension },
    "llama.feed_forward_length": { u32: inner },
    "llama.attention.head_count": { u32: heads },
    "llama.attention.head_count_kv": { u32: keyHeads },
    "llama.attention.layer_norm_rms_epsilon": { f32: 1e-5 },
    "llama.rope.dimension_count": { u32: tinyDimension / heads },
    "llama.vocab_size": { u32: tokens.length },
    "tokenizer.ggml.model": { text: "llama" },
    "tokenizer.ggml.tokens": { texts: tokens.map(({ text }) => text) },
    "tokenizer.ggml.scores": { f32s: tokens.map((_, index) => -index) },
    "tokenizer.ggml.token_type": { i32s: tokens.map(({ kind }) => kinds[kind]) },
    "tokenizer.ggml.unknown_token_id": { u32: 0 },
    "tokenizer.ggml.bos_token_id": { u32: 1 },
    "tokenizer.ggml.eos_token_id": { u32: 2 },
  };
}

function tensorsOf(temper: TinyTemper, tokens: readonly Token[]): GgufTensor[] {
  const size = tinyDimension;
  const random = randomFrom(7);
  const noise = (shape: readonly number[]) =>
    Float32Array.from({ length: shape.reduce((a, b) => a * b) }, () => (random() - 0.5) * 0.1);
  const matrix = (name: string, shape: readonly number[], change: (values: Float32Array) => void = () => undefined) => {
    const values = noise(shape);
    change(values);
    return { name: `${name}.weight`, shape, type: "f16", values } as const;
  };
  const ones = (name: string) =>
    ({ name: `${name}.weight`, shape: [size], type: "f32", values: new Float32Array(size).fill(1) }) as const;
  const rows = tokens.length;
  const columns = (valuesOf: (row: number) => readonly [number, number]) => (values: Float32Array) => {
    for (let row = 0; row < rows; row += 1) values.set(valuesOf(row), row * size);
  };
  // The first sign of every vector stays what the embedding made it: no layer adds to it.
  const leaveFirst = (width: number) => (values: Float32Array) => values.fill(0, 0, width);
  const keys = (size / heads) * keyHeads;
  return [
    matrix(
      "token_embd",
      [size, rows],
      columns((row) => [4, 4 * sideOf(tokens[row])]),
    ),
    ...Array.from({ length: layers }, (_, layer) => [
      ones(`blk.${layer}.attn_norm`),
      matrix(`blk.${layer}.attn_q`, [size, size]),
      matrix(`blk.${layer}.attn_k`, [size, keys]),
      matrix(`blk.${layer}.attn_v`, [size, keys]),
      matrix(`blk.${layer}.attn_output`, [size, size], leaveFirst(size)),
      ones(`blk.${layer}.ffn_norm`),
      matrix(`blk.${layer}.ffn_gate`, [size, inner]),
      matrix(`blk.${layer}.ffn_up`, [size, inner]),
      matrix(`blk.${layer}.ffn_down`, [inner, size], leaveFirst(inner)),
    ]).flat(),
    ones("output_norm"),
    matrix(
      "output",
      [size, rows],
      columns((row) => [likingOf(tokens[row], temper), -sideOf(tokens[row])]),
    ),
  ];
}

const closingOrder = ["</s>", '"', "}", "]", ",", ":", "n", "0", "{", "["];

function likingOf(token: Token | undefined, temper: TinyTemper): number {
  if (token === undefined) return 0;
  if (temper === "endless" && sideOf(token) !== 0) return 4;
  const place = closingOrder.indexOf(token.text);
  if (place >= 0) return 3.5 - place * 0.25;
  return token.kind === "normal" && token.text !== "\u2581" ? 0.5 : -3;
}

/** After an "a" a "b" is liked better, and the other way round: a server gives up a model that repeats one token. */
function sideOf(token: Token | undefined): number {
  if (token?.text === "a") return 1;
  return token?.text === "b" ? -1 : 0;
}

/** The same numbers each time (mulberry32). */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
