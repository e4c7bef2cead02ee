import {
  type SourceAnswer,
  withAnswer,
  sourceAnswerOf,
  type SourceHealth,
  unasked,
} from "../../domain/evidence/source-health.ts";
import type { Clock } from "../../ports/runtime.ts";
import { Refused } from "../../ports/errors.ts";

/** Everything outside that is asked, in the order in which it is shown. */
const sourceNames = [
  "GitHub",
  "Git",
  "Kubernetes",
  "Prometheus",
  "Alertmanager",
  "Loki",
  "Model",
  "Kyverno CLI",
] as const;
type SourceName = (typeof sourceNames)[number];

/** Hears how the sources answer, in passing: nobody is asked for its sake. */
export interface Sources {
  record(name: SourceName, heard: SourceAnswer): void;
  /** One HTTP call; without a status nobody answered. */
  recordStatus(name: SourceName, status: number | undefined): void;
  /** The same port; what its calls come to is heard. */
  watch<T extends object>(name: SourceName, port: T): T;
  /** What is known of it without a call. */
  describe(name: SourceName, about: string): void;
  /** It is not there; calls of it are not expected. */
  absent(name: SourceName, because: string): void;
  all(): readonly SourceHealth[];
}

/** `clean` takes secrets out of what others say. */
export function openSources(clock: Clock, clean: (text: string) => string): Sources {
  const now = () => clock.now().toISOString();
  const known = new Map<SourceName, SourceHealth>(sourceNames.map((name) => [name, unasked(name, now())]));
  const change = (name: SourceName, to: (health: SourceHealth) => SourceHealth) => {
    known.set(name, to(known.get(name) ?? unasked(name, now())));
  };
  const record: Sources["record"] = (name, heard) => {
    const safe = heard.kind === "answers" ? heard : { ...heard, because: clean(heard.because) };
    change(name, (health) => withAnswer(health, safe, now()));
  };
  return {
    record,
    recordStatus: (name, status) => record(name, sourceAnswerOf(status)),
    watch: (name, port) => watched(port, (heard) => record(name, heard)),
    describe: (name, about) => change(name, (health) => ({ ...health, about: clean(about) })),
    absent: (name, because) =>
      change(name, (health) => ({ ...health, state: "absent", since: now(), about: clean(because) })),
    all: () => [...known.values()],
  };
}

function watched<T extends object>(port: T, hear: (heard: SourceAnswer) => void): T {
  const methods = Object.entries(port).map(([name, member]: [string, unknown]) => {
    if (typeof member !== "function") return [name, member] as const;
    const call = (...args: unknown[]): unknown => {
      const answer: unknown = member.apply(port, args);
      if (answer instanceof Promise)
        answer.then(
          () => hear({ kind: "answers" }),
          (error) => hear(failureOf(error)),
        );
      return answer;
    };
    return [name, call] as const;
  });
  return Object.fromEntries(methods) as T;
}

function failureOf(error: unknown): SourceAnswer {
  const because = error instanceof Error ? error.message : "it failed without a reason";
  return { kind: error instanceof Refused ? "refuses" : "silent", because };
}
