/** The local model: one question, one schema, one timed answer. It has no method that writes anything. */
export interface Model {
  ask(request: {
    readonly system: string;
    readonly prompt: string;
    /** JSON schema of the answer. */
    readonly schema: object;
    readonly deadlineMs: number;
    readonly incident: string;
    readonly traceId: string;
    /** Where others wait too, the higher number goes first. */
    readonly urgency?: number;
    /** Ends the waiting and the call. */
    readonly signal?: AbortSignal;
  }): Promise<ModelAnswer>;
}

/** The raw answer with its costs; reading it is the domain's work. */
export interface ModelAnswer {
  readonly text: string;
  readonly doneReason: string;
  readonly model: string;
  readonly digest: string;
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly durationMs: number;
}
