import { AsyncLocalStorage } from "node:async_hooks";
import type { Exchange } from "../../domain/records/step-cost.ts";
import type { Model } from "../../ports/model.ts";

/** One attempt of a step, as it went. */
export interface Attempt {
  readonly workflow: string;
  readonly step: string;
  readonly startedAt: Date;
  readonly durationMs: number;
  readonly githubCalls: number;
  readonly promptTokens: number;
  readonly answerTokens: number;
  readonly failed: boolean;
}

/** Counts what each step takes: what is called while it runs belongs to it, whatever else runs beside it. */
export interface StepMeter {
  measure<T>(workflow: string, step: string, work: () => Promise<T>): Promise<T>;
  githubCall(): void;
  /** The same model; what it answers is counted and told. */
  watchModel(model: Model): Model;
}

/** What the meter has counted goes here. These must not throw. */
interface MeterEars {
  attempt(attempt: Attempt): void;
  exchange(incident: string, exchange: Exchange): void;
}

export function openStepMeter(ears: MeterEars): StepMeter {
  const current = new AsyncLocalStorage<{ githubCalls: number; promptTokens: number; answerTokens: number }>();
  return {
    measure: async (workflow, step, work) => {
      const spent = { githubCalls: 0, promptTokens: 0, answerTokens: 0 };
      const startedAt = new Date();
      const start = performance.now();
      const tell = (failed: boolean) =>
        ears.attempt({ workflow, step, startedAt, durationMs: performance.now() - start, ...spent, failed });
      try {
        const answer = await current.run(spent, work);
        tell(false);
        return answer;
      } catch (error) {
        tell(true);
        throw error;
      }
    },
    githubCall: () => {
      const spent = current.getStore();
      if (spent !== undefined) spent.githubCalls += 1;
    },
    watchModel: (model) => ({
      ask: async (request) => {
        const answer = await model.ask(request);
        const { promptTokens, answerTokens, durationMs, digest, text } = answer;
        const spent = current.getStore();
        if (spent !== undefined) {
          spent.promptTokens += promptTokens;
          spent.answerTokens += answerTokens;
        }
        ears.exchange(request.incident, {
          ...{ at: new Date().toISOString(), model: answer.model, digest, prompt: request.prompt, answer: text },
          ...{ promptTokens, answerTokens, durationMs },
        });
        return answer;
      },
    }),
  };
}

/** The Incident-UID that a workflow's name begins with. */
export function incidentOf(workflow: string): string {
  return workflow.split("/")[0] ?? "";
}
