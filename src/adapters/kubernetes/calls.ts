import { Denied, Refused, Unavailable } from "../../ports/errors.ts";
import { withTimeout } from "../http/timeout.ts";

export const defaultDeadlineMs = 10_000;

/** A 404 is an answer (`undefined`); the client has no deadline of its own. */
export async function asked<T>(
  { deadlineMs }: { readonly deadlineMs: number },
  what: string,
  call: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await withTimeout(deadlineMs, call(), `Kubernetes: ${what}`);
  } catch (cause) {
    if (cause instanceof Refused || cause instanceof Unavailable) throw cause;
    const code = (cause as { code?: unknown }).code;
    if (code === 404) return undefined;
    // A token that has ended is renewed by someone: that is a matter of waiting, not of permission.
    if (code === 401) throw new Unavailable(`Kubernetes: ${what}: HTTP 401, the token is not accepted`, { cause });
    const status = typeof code === "number" ? `HTTP ${code}` : `no answer that can be read (${reasonOf(cause)})`;
    if (code === 403) throw new Denied(`Kubernetes: ${what}: ${status}`, code, { cause });
    if (typeof code === "number" && code !== 429 && code < 500)
      throw new Refused(`Kubernetes: ${what}: ${status}`, { cause });
    throw new Unavailable(`Kubernetes: ${what}: ${status}`, { cause });
  }
}

function reasonOf(cause: unknown): string {
  return cause instanceof Error ? cause.message.slice(0, 200).replace(/\s+/g, " ") : "unknown";
}
