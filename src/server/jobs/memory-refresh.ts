import { type MemoryIndex, openMemory } from "../../adapters/memory/memory.ts";
import { chooseEmbedder, type EmbeddingSource } from "../../adapters/memory/embedder.ts";
import { readMemorySource } from "../../adapters/memory/source.ts";
import { withTimeout } from "../../adapters/http/timeout.ts";
import type { PostMortem } from "../../domain/records/post-mortem.ts";
import type { Memory, MemoryState } from "../../domain/records/precedent.ts";
import type { GitHost } from "../../ports/github.ts";
import { Unavailable } from "../../ports/errors.ts";
import { repeat } from "../../adapters/http/repeat.ts";

/** The memory of a running Rectify, with what keeps it like Git. */
export interface RefreshedMemory extends Memory {
  /** The newest records that the last look at Git found, whether they count or not. */
  records(): readonly PostMortem[];
  /** Looks at the default branch now, and makes the index anew when its post-mortems changed. Never throws. */
  refresh(): Promise<void>;
  close(): Promise<void>;
}

interface MemoryRefreshOptions {
  readonly directory: string;
  readonly github: Pick<GitHost, "head">;
  readonly sealKey: string;
  /** The model server's embedding; undefined = the lexical one. */
  readonly embedding: EmbeddingSource | undefined;
  readonly everyMs: number;
  readonly warn: (text: string) => void;
}

const mostRecords = 500;
const longestSearchMs = 10_000;

/** Nothing waits for it: until it is open, and whenever it is off, searches find nothing. */
export function refreshMemory(options: MemoryRefreshOptions): RefreshedMemory {
  const warn = onceInARow(options.warn);
  let opening: Promise<MemoryIndex> | undefined;
  let index: MemoryIndex | undefined;
  let problem: string | undefined;
  let seen: string | undefined;
  let records: readonly PostMortem[] = [];
  let closed = false;
  const open = async () => {
    opening ??= chooseEmbedder(options.embedding, warn).then((embedder) =>
      openMemory({ directory: options.directory, embedder, warn }),
    );
    index = await opening;
    return index;
  };
  const look = async () => {
    const { sha, tree } = await options.github.head();
    const opened = await open();
    if (sha === seen) return;
    const source = await readMemorySource(tree, options.sealKey);
    records = source.records.slice(0, mostRecords);
    const state = opened.state();
    const same = state.kind === "ready" && state.revision === source.revision;
    if (!same) await opened.rebuild(source.entries, source.revision);
    [seen, problem] = [sha, undefined];
  };
  const failed = async (error: unknown) => {
    if (closed) return;
    problem = error instanceof Error ? error.message : String(error);
    warn(`memory not brought up to date: ${problem}`);
    if (error instanceof Unavailable) return;
    // The thread died, the disk is full, the embedding model is another one: the next look begins from nothing.
    const broken = index;
    [opening, index, seen] = [undefined, undefined, undefined];
    await Promise.allSettled([broken?.close()]);
  };
  const refreshing = repeat(options.everyMs, () => look().catch(failed));
  void refreshing.now();
  return {
    state: () => index?.state() ?? offBecause(problem),
    records: () => records,
    refresh: refreshing.now,
    nearest: async (text, k, among) => {
      if (index === undefined) return [];
      return withTimeout(longestSearchMs, index.search(text, k, among)).catch((error: Error) => {
        warn(`memory not asked: ${error.message}`);
        return [];
      });
    },
    close: async () => {
      closed = true;
      // What is under way is not waited for: the model server may hang.
      void refreshing.stop();
      const [opened] = await Promise.allSettled([opening]);
      if (opened.status === "fulfilled") await opened.value?.close();
    },
  };
}

function offBecause(problem: string | undefined): MemoryState {
  return { kind: "off", because: problem ?? "the memory is being opened" };
}

/** What is said again and again is told once, until something else was said. */
function onceInARow(warn: (text: string) => void): (text: string) => void {
  let last: string | undefined;
  return (text) => {
    if (text !== last) warn(text);
    last = text;
  };
}
