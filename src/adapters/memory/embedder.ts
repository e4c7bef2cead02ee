import { isKnownFailure, Refused } from "../../ports/errors.ts";
import { type Embedder, lexicalEmbedder } from "./memory.ts";

/** A model server's embedding: vectors, and the digest of the model that made them. */
export interface EmbeddingSource {
  readonly model: string;
  embed(texts: readonly string[]): Promise<{ readonly vectors: readonly ArrayLike<number>[]; readonly digest: string }>;
}

/**
 * The embedder for this run: the model server's when it answers now, the lexical one otherwise, told once. It is not
 * changed later, because every change embeds the whole memory anew.
 */
export async function chooseEmbedder(
  source: EmbeddingSource | undefined,
  warn: (text: string) => void,
): Promise<Embedder> {
  if (source === undefined) return lexicalEmbedder;
  try {
    const { vectors, digest } = await source.embed(["which dimension has this model"]);
    const dimension = vectors[0]?.length ?? 0;
    // Vectors are compared four numbers at a time.
    if (dimension === 0 || dimension % 4 !== 0) throw new Refused(`${source.model} gives vectors of ${dimension}`);
    return {
      model: { digest: `${source.model}@${digest}`, dimension },
      embed: (texts) => embedAs(source, digest, texts),
    };
  } catch (error) {
    if (!isKnownFailure(error)) throw error;
    warn(`memory by words instead of ${source.model}: ${error.message}`);
    return lexicalEmbedder;
  }
}

/** A model that was exchanged under the same name makes vectors that fit no other of the memory. */
async function embedAs(
  source: EmbeddingSource,
  digest: string,
  texts: readonly string[],
): Promise<readonly ArrayLike<number>[]> {
  const embedded = await source.embed(texts);
  if (embedded.digest !== digest) throw new Refused(`${source.model} is another model now: restart to embed all anew`);
  return embedded.vectors;
}
