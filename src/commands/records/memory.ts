import { join } from "node:path";
import { readManifest } from "../../adapters/memory/files.ts";
import { openGeneration, search } from "../../adapters/memory/generation.ts";
import { loadFaiss } from "../../adapters/memory/index.ts";
import { ollamaEmbedding } from "../../adapters/ollama/ollama.ts";
import { type Environment, noRepository, postMortemsIn } from "../repository/checkout.ts";
import { lexicalEmbedding, lexicalModel, normalised } from "../../domain/llm/embedding.ts";
import type { Told } from "../told.ts";
import { forTerminal } from "../../domain/records/explanation.ts";
import type { PostMortem } from "../../domain/records/post-mortem.ts";
import { workloadKey } from "../../domain/kubernetes/workload.ts";

function directoryOf(env: Environment): string {
  return join(env.RECTIFY_DATA || ".rectify", "memory");
}

/** The state of the index, and every post-mortem with what it came to. */
export async function showMemory(repository: string | undefined, env: Environment): Promise<Told> {
  const source = await postMortemsIn(repository, env);
  if (source === undefined) return { lines: [noRepository], code: 1 };
  const { records, entries, ignored, place, sealed } = source;
  const counting = new Set(entries.map(({ uid }) => uid));
  return {
    lines: [
      ...indexLines(env),
      `Repository: ${place}, ${records.length} post-mortems, ${entries.length} count${sealed ? "" : " (seals not checked: set SEAL_KEY)"}`,
      ...ignored.map((line) => `Ignored: ${forTerminal(line)}`),
      ...records.map((record) => lineOf(record, counting.has(record.uid))),
    ],
    code: 0,
  };
}

function indexLines(env: Environment): string[] {
  const read = readManifest(directoryOf(env));
  if (read.kind === "none") return [`Index: none (${read.because})`];
  const { model, count, revision, index } = read.manifest;
  const engine = index === null ? "plain scan" : `FAISS, recall ${index.recall.toFixed(3)} on a sample`;
  return [
    `Index: ${count} entries, ${engine}`,
    `Model: ${model.digest}, dimension ${model.dimension}`,
    `Made from: ${revision}`,
  ];
}

function lineOf({ uid, startedAt, alert, workload, outcome, remedy, withdrawn }: PostMortem, counts: boolean): string {
  const gone = withdrawn === null ? "" : `, ${withdrawn.kind} by ${withdrawn.by}`;
  const what = `${alert} of ${workloadKey(workload)}: ${remedy?.sentence ?? "no remedy"}`;
  return forTerminal(`${counts ? "+" : "-"} ${startedAt.slice(0, 10)} ${outcome}${gone}  ${what}  ${uid}`);
}

const mostFound = 10;

/** The entries of the index that are nearest to a text, of all namespaces: it is the operator who asks. */
export async function searchMemory(text: string, env: Environment): Promise<Told> {
  const directory = directoryOf(env);
  const read = readManifest(directory);
  if (read.kind === "none") return { lines: [`there is no index in ${directory}: ${read.because}`], code: 1 };
  const { digest, dimension } = read.manifest.model;
  const opened = openGeneration(directory, { modelDigest: digest, dimension }, await loadFaiss());
  if ("because" in opened) return { lines: [opened.because], code: 1 };
  const query = await vectorOf(text, digest, env);
  if (query === undefined) {
    return { lines: [`the index was made by ${digest}: set OLLAMA_HOST and OLLAMA_EMBED_MODEL to the same`], code: 1 };
  }
  const namespaces = [...new Set(opened.entries.namespaces)];
  const found = search(opened, { query, k: mostFound, namespaces, except: [] });
  const lines = found.map(({ remembered, similarity }) => {
    const { outcome, alert, workload, remedy, startedAt, uid } = remembered;
    const what = `${alert} of ${workload}: ${remedy.sentence}`;
    return forTerminal(`${similarity.toFixed(3)} ${startedAt.slice(0, 10)} ${outcome}  ${what}  ${uid}`);
  });
  return { lines: lines.length === 0 ? ["nothing is remembered"] : lines, code: 0 };
}

/** Undefined when the model that made the index is not the one at hand. */
async function vectorOf(text: string, digest: string, env: Environment): Promise<Float32Array | undefined> {
  if (digest === lexicalModel.digest) return lexicalEmbedding(text);
  const { OLLAMA_HOST: host, OLLAMA_EMBED_MODEL: model } = env;
  if (!host || !model) return undefined;
  const embedded = await ollamaEmbedding({ host, model }).embed([text]);
  return `${model}@${embedded.digest}` === digest ? normalised(embedded.vectors[0] ?? []) : undefined;
}
