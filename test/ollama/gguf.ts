/** A value of a GGUF file's description. Numbers say their own type: `u32`, `f32`. */
export type GgufValue =
  | { readonly u32: number }
  | { readonly f32: number }
  | { readonly text: string }
  | { readonly texts: readonly string[] }
  | { readonly f32s: readonly number[] }
  | { readonly i32s: readonly number[] };

/** One tensor; `shape` begins with the length of a row. */
export interface GgufTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly type: "f32" | "f16";
  readonly values: Float32Array;
}

const alignment = 32;
const valueTypes = { u32: 4, i32: 5, f32: 6, text: 8, list: 9 };
const tensorTypes = { f32: 0, f16: 1 };

/** A GGUF file, version 3: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md */
export function ggufOf(description: Readonly<Record<string, GgufValue>>, tensors: readonly GgufTensor[]): Buffer {
  const described = Object.entries(description).flatMap(([key, value]) => [textOf(key), valueOf(value)]);
  const bodies = tensors.map(bytesOf);
  let offset = 0;
  const placed = tensors.map((tensor, index) => {
    const info = infoOf(tensor, offset);
    offset += padded(bodies[index] ?? Buffer.alloc(0)).length;
    return info;
  });
  const head = Buffer.concat([
    ...[Buffer.from("GGUF"), u32(3), u64(tensors.length), u64(Object.keys(description).length)],
    ...described,
    ...placed,
  ]);
  return Buffer.concat([padded(head), ...bodies.map(padded)]);
}

function valueOf(value: GgufValue): Buffer {
  if ("u32" in value) return Buffer.concat([u32(valueTypes.u32), u32(value.u32)]);
  if ("f32" in value) return Buffer.concat([u32(valueTypes.f32), f32(value.f32)]);
  if ("text" in value) return Buffer.concat([u32(valueTypes.text), textOf(value.text)]);
  if ("texts" in value) return listOf(valueTypes.text, value.texts.map(textOf));
  if ("f32s" in value) return listOf(valueTypes.f32, value.f32s.map(f32));
  return listOf(valueTypes.i32, value.i32s.map(u32));
}

function listOf(type: number, items: readonly Buffer[]): Buffer {
  return Buffer.concat([u32(valueTypes.list), u32(type), u64(items.length), ...items]);
}

function infoOf({ name, shape, type }: GgufTensor, offset: number): Buffer {
  return Buffer.concat([textOf(name), u32(shape.length), ...shape.map(u64), u32(tensorTypes[type]), u64(offset)]);
}

function bytesOf({ type, values }: GgufTensor): Buffer {
  if (type === "f32") return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  const halves = Uint16Array.from(values, halfOf);
  return Buffer.from(halves.buffer);
}

/** The 16-bit form of a number, cut towards zero; what is too small for it becomes zero. */
function halfOf(value: number): number {
  const bits = new Uint32Array(Float32Array.of(value).buffer)[0] ?? 0;
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  const sign = (bits >>> 16) & 0x8000;
  return exponent <= 0 ? sign : sign | (exponent << 10) | ((bits >>> 13) & 0x3ff);
}

function padded(bytes: Buffer): Buffer {
  const rest = bytes.length % alignment;
  return rest === 0 ? bytes : Buffer.concat([bytes, Buffer.alloc(alignment - rest)]);
}

function textOf(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([u64(bytes.length), bytes]);
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return bytes;
}
