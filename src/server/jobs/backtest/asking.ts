import { Denied, Unavailable } from "../../../ports/errors.ts";

/** The sources that a backtest asks, by the beginning of the variables that describe them. */
type Source = "PROMETHEUS" | "LOKI" | "KUBERNETES";

/** Asks one source; its own failure is thrown on. */
type Ask = <T>(question: () => Promise<T>) => Promise<T>;

/** How the sources answered so far. */
export interface Asking {
  of(source: Source): Ask;
  /** How many questions found no answer. */
  unanswered(): number;
  /** What the last source that gave no answer said instead. */
  silence(): string | undefined;
  /** Why nothing is asked any more, and which setting helps; undefined = it goes on. */
  denied(): string | undefined;
}

export interface AskingOptions {
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

// Between one question and its repetition, longer each time, or as long as the source says.
const pausesMs = [500, 2_000];
const longestPauseMs = 30_000;

/**
 * Asks, again where there was no answer, and counts what stayed without one. A source that does not let us in
 * says nothing of the past: from then on nothing is asked of any.
 */
export function openAsking({ sleep = waiting }: AskingOptions): Asking {
  let unanswered = 0;
  let silence: string | undefined;
  let denied: Denied | undefined;
  const failed = (error: Error) => {
    unanswered += 1;
    silence = error.message;
    return error;
  };
  const of = (source: Source): Ask => {
    let isAway = false;
    return async (question) => {
      for (let attempt = 0; ; attempt += 1) {
        if (denied !== undefined) throw failed(denied);
        try {
          const answer = await question();
          isAway = false;
          return answer;
        } catch (error) {
          if (error instanceof Denied) {
            denied ??= new Denied(`${error.message}: ${helping(source, error.status)}`, error.status);
            throw failed(denied);
          }
          if (!(error instanceof Unavailable)) throw error;
          const pauseMs = pausesMs[attempt];
          // What was away a moment ago is not waited for again with each question.
          if (pauseMs === undefined || isAway) {
            isAway = true;
            throw failed(error);
          }
          await sleep(Math.min(longestPauseMs, Math.max(pauseMs, error.retryAfterMs ?? 0)));
        }
      }
    };
  };
  return { of, unanswered: () => unanswered, silence: () => silence, denied: () => denied?.message };
}

function helping(source: Source, status: number): string {
  if (source === "KUBERNETES")
    return "KUBERNETES_TOKEN (or _TOKEN_PATH) must be one that may read, or unset KUBERNETES_URL";
  const url = `${source}_URL must be the address up to before /${source === "LOKI" ? "loki/" : ""}api/v1`;
  if (status === 404) return url;
  const login = `set ${source}_TOKEN (or _TOKEN_PATH), or ${source}_USERNAME and ${source}_PASSWORD (or _PASSWORD_PATH), anew; a tenant goes into ${source}_HEADERS`;
  return status === 401 || status === 403 ? login : `${url}; where a login is in front of it, ${login}`;
}

function waiting(milliseconds: number): Promise<void> {
  return new Promise((goOn) => setTimeout(goOn, milliseconds));
}
