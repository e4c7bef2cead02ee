import { Unavailable } from "../../ports/errors.ts";
import { repeat } from "../../adapters/http/repeat.ts";
import { forward } from "./forward.ts";

interface Watched {
  /** Where it answers to `/healthz`. */
  readonly port: number;
  readonly everyMs: number;
}

const mostMisses = 3;

/**
 * Asks a process whether it lives, again and again, and tells once when it gave no answer several times in a row: a
 * process that hangs ends by nothing of its own.
 */
export function endWhenSilent({ port, everyMs }: Watched, end: (why: string) => void): { stop(): Promise<void> } {
  let misses = 0;
  return repeat(everyMs, async () => {
    if (misses >= mostMisses) return;
    const why = await silence(port, everyMs / 2);
    misses = why === undefined ? 0 : misses + 1;
    if (why !== undefined && misses === mostMisses) end(`it gave no answer ${mostMisses} times in a row (${why})`);
  });
}

/** Undefined where it answers. */
async function silence(port: number, deadlineMs: number): Promise<string | undefined> {
  try {
    const { status } = await forward({ method: "GET", port, path: "/healthz", headers: {}, deadlineMs });
    return status === 200 ? undefined : `status ${status}`;
  } catch (error) {
    if (error instanceof Unavailable) return error.message;
    throw error;
  }
}
