/**
 * An upper estimate of the tokens of a text, without the model's own tokenizer: a word or a number costs one token
 * for each three characters, a run of more than twelve letters (seldom a word) one for each two, every other sign one,
 * and a sign beyond ASCII one for each UTF-8 byte. Byte-pair tokenizers of the Llama family should stay below it for
 * prose, logs, JSON and YAML; where they do not, the server's own count is the second guard.
 */
export function estimateTokens(text: string): number {
  let tokens = 0;
  for (const [piece] of text.matchAll(/[A-Za-z]+|[0-9]+|[^\S\n]+|\n|[\s\S]/gu)) {
    if (/^[^\S\n]/.test(piece)) tokens += Math.floor(piece.length / 8);
    else if (piece.length > 1 && /^[A-Za-z0-9]/.test(piece))
      tokens += Math.ceil(piece.length / (piece.length > 12 ? 2 : 3));
    else tokens += Buffer.byteLength(piece) > 1 ? Buffer.byteLength(piece) : 1;
  }
  return tokens;
}

/** A lower estimate: a server that counted fewer tokens has not read the whole text. */
export function leastTokens(text: string): number {
  return Math.floor(text.replace(/\s+/g, " ").replace(/(.)\1{3,}/gu, "$1$1$1").length / 10);
}
