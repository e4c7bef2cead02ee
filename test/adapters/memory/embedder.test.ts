import { describe, expect, test } from "vitest";
import { lexicalEmbedder } from "../../../src/adapters/memory/memory.ts";
import { chooseEmbedder, type EmbeddingSource } from "../../../src/adapters/memory/embedder.ts";
import { Refused, Unavailable } from "../../../src/ports/errors.ts";

function serving(answer: () => { digest: string; vectors: number[][] }): EmbeddingSource {
  return { model: "nomic-embed-text", embed: async () => answer() };
}

const good = { digest: "sha256:1", vectors: [[...Array(16).keys()]] };

describe("the embedder of a run", () => {
  test("is the model server's when it answers", async () => {
    const embedder = await chooseEmbedder(
      serving(() => good),
      () => expect.unreachable(),
    );
    expect(embedder.model).toEqual({ digest: "nomic-embed-text@sha256:1", dimension: 16 });
    expect(await embedder.embed(["x"])).toEqual(good.vectors);
  });

  test.each<[string, () => typeof good]>([
    ["does not answer", () => Promise.reject(new Unavailable("down")) as never],
    ["has no such model", () => Promise.reject(new Refused("no model")) as never],
    ["gives vectors of an odd length", () => ({ digest: "sha256:1", vectors: [[1, 2, 3]] })],
    ["gives none", () => ({ digest: "sha256:1", vectors: [] })],
  ])("is the lexical one, told once, when the server %s", async (_, answer) => {
    const warnings: string[] = [];
    expect(await chooseEmbedder(serving(answer), (text) => warnings.push(text))).toBe(lexicalEmbedder);
    expect(warnings).toEqual([expect.stringMatching(/^memory by words instead of nomic-embed-text: /)]);
  });

  test("is the lexical one without a server", async () => {
    expect(await chooseEmbedder(undefined, () => expect.unreachable())).toBe(lexicalEmbedder);
  });

  test("refuses when the model was exchanged under its name", async () => {
    let digest = "sha256:1";
    const embedder = await chooseEmbedder(
      serving(() => ({ ...good, digest })),
      () => expect.unreachable(),
    );
    digest = "sha256:2";
    await expect(embedder.embed(["x"])).rejects.toThrow(Refused);
  });
});
