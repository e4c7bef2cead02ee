/** No answer: the same call may work later. `retryAfterMs` is the earliest moment the other side will listen. */
export class Unavailable extends Error {
  override readonly name = "Unavailable";
  readonly retryAfterMs: number | undefined;

  constructor(what: string, options: { cause?: unknown; retryAfterMs?: number } = {}) {
    super(what, { cause: options.cause });
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A clear no: repeating the call will not help. */
export class Refused extends Error {
  override readonly name = "Refused";
}

/**
 * A no that is about us and not about the question: who we are, or where we ask, is set wrong. `status` is that of HTTP,
 * 200 where something else than the source answered.
 */
export class Denied extends Refused {
  readonly status: number;

  constructor(what: string, status: number, options: { cause?: unknown } = {}) {
    super(what, options);
    this.status = status;
  }
}

/** A write that shadow mode, or guardrails that nobody can read, kept inside the process: nothing was asked of anybody. */
export class Shut extends Refused {}

/** What only tells people is left out while writing is shut; everything else that goes wrong is thrown. */
export async function unlessShut<T>(telling: Promise<T>): Promise<T | undefined> {
  return telling.catch((error: unknown) => {
    if (error instanceof Shut) return undefined;
    throw error;
  });
}

/** Whether a port gave no answer or a no; everything else that is thrown is a bug of ours. */
export function isKnownFailure(error: unknown): error is Unavailable | Refused {
  return error instanceof Unavailable || error instanceof Refused;
}

/** The answer of a port; undefined = unknown, because it gave none or a no. Our own bugs pass, to be seen. */
export async function known<T>(ask: () => Promise<T>): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    if (isKnownFailure(error)) return undefined;
    throw error;
  }
}
