import { createInterface } from "node:readline/promises";

/** How setup talks with who runs it. */
export interface Dialog {
  tell(line: string): void;
  /** The answer, or the fallback where nothing was said. A person is asked again while there is a problem with it. */
  ask(question: string, fallback: string, problemWith?: (answer: string) => string | undefined): Promise<string>;
  /** No, unless somebody says yes. */
  confirm(question: string): Promise<boolean>;
  close(): void;
}

/** A wrong call: exit code 2. */
export class WrongCall extends Error {
  readonly problems: readonly string[];

  constructor(problems: readonly string[]) {
    super(problems.join("; "));
    this.problems = problems;
  }
}

/** Nobody is asked: every question has its fallback, and nothing is replaced. */
export function scripted(tell: (line: string) => void): Dialog {
  return { tell, ask: async (_question, fallback) => fallback, confirm: async () => false, close: () => undefined };
}

/** A person at a terminal. */
export function interactive(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Dialog {
  const lines = createInterface({ input, output });
  const ended = new AbortController();
  lines.once("close", () => ended.abort());
  const say = async (text: string) => {
    try {
      return (await lines.question(text, { signal: ended.signal })).trim();
    } catch (cause) {
      throw new Error("setup was stopped: run it again, what is there already stays (where nobody can answer: --yes)", {
        cause,
      });
    }
  };
  const tell = (line: string) => void output.write(`${line}\n`);
  return {
    tell,
    ask: async (question, fallback, problemWith = () => undefined) => {
      for (;;) {
        const answer = (await say(`${question}${fallback === "" ? "" : ` [${fallback}]`}: `)) || fallback;
        const problem = problemWith(answer);
        if (problem === undefined) return answer;
        tell(`  ${problem}`);
      }
    },
    confirm: async (question) => /^y(es)?$/i.test(await say(`${question} [y/N]: `)),
    close: () => lines.close(),
  };
}
