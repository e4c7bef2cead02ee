import { createInterface } from "node:readline/promises";

/** How setup talks with who runs it. */
export interface Dialog {
  tell(line: string): void;
  /** The answer, or the fallback where nothing was said. */
  ask(question: string, fallback: string): Promise<string>;
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
      throw new Error("setup was stopped: run it again, what is there already stays", { cause });
    }
  };
  return {
    tell: (line) => void output.write(`${line}\n`),
    ask: async (question, fallback) =>
      (await say(`${question}${fallback === "" ? "" : ` [${fallback}]`}: `)) || fallback,
    confirm: async (question) => /^y(es)?$/i.test(await say(`${question} [y/N]: `)),
    close: () => lines.close(),
  };
}
