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
