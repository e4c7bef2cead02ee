/** How one source outside answered us, as far as it was asked. Times are RFC 3339. */
export interface SourceHealth {
  readonly name: string;
  /** By the newest call. `absent`: it is not there, or we are told to do without it. */
  readonly state: "answers" | "refuses" | "silent" | "unasked" | "absent";
  /** When it came into this state. */
  readonly since: string;
  readonly lastAnswer: string | undefined;
  readonly lastError: { readonly at: string; readonly because: string } | undefined;
  /** What is known beside its answers: a version, or why it is absent; empty = nothing. */
  readonly about: string;
}

/** What became of one call. */
export type SourceAnswer =
  | { readonly kind: "answers" }
  | { readonly kind: "refuses" | "silent"; readonly because: string };

/** A source of which nothing was heard yet. */
export function unasked(name: string, since: string): SourceHealth {
  return { name, state: "unasked", since, lastAnswer: undefined, lastError: undefined, about: "" };
}

/** The same source after one more call. The last error stays on show when it answers again: it says what was. */
export function withAnswer(health: SourceHealth, heard: SourceAnswer, at: string): SourceHealth {
  const since = heard.kind === health.state ? health.since : at;
  if (heard.kind === "answers") return { ...health, state: "answers", since, lastAnswer: at };
  return { ...health, state: heard.kind, since, lastError: { at, because: heard.because } };
}

/** What an HTTP status, or none, says of the one who was asked. "Not found" and "not so" are answers. */
export function sourceAnswerOf(status: number | undefined): SourceAnswer {
  if (status === undefined) return { kind: "silent", because: "no answer" };
  if (status === 429 || status >= 500) return { kind: "silent", because: `HTTP ${status}` };
  if (status === 401 || status === 403) return { kind: "refuses", because: `HTTP ${status}` };
  return { kind: "answers" };
}
