import type { Telemetry } from "../ports/runtime.ts";

/** What was told, when, by whom: what the lab prints and the source of its timings. */
interface Told {
  readonly at: number;
  readonly incident: string;
  readonly verb: string;
  readonly text: string;
}

export interface LabPrinter extends Telemetry {
  readonly told: readonly Told[];
  say(who: string, text: string): void;
  /** Breaks a long silence. */
  stillThere(): void;
  /** The scenario is over, and silence until the next line is as it should be. */
  rest(): void;
}

const quietMs = 4_000;
const dim = "\u001b[2m";
const bold = "\u001b[1m";
const plain = "\u001b[0m";

/** Prints what happens as it happens: seconds since the start, who or which verb, what. Colours only for a terminal. */
export function labPrinter(print: (line: string) => void, colours: boolean): LabPrinter {
  const begun = Date.now();
  let last = begun;
  const told: Told[] = [];
  const styled = (style: string, text: string) => (colours ? style + text + plain : text);
  const line = (who: string, text: string) => {
    last = Date.now();
    const seconds = ((Date.now() - begun) / 1000).toFixed(1).padStart(5);
    print(`${styled(dim, `${seconds}s`)}  ${styled(bold, who.padEnd(9))} ${text}`);
  };
  return {
    told,
    say: line,
    stillThere: () => {
      if (Date.now() - last >= quietMs) line("lab", "still going");
    },
    rest: () => (last = Number.POSITIVE_INFINITY),
    log: (incident, verb, text) => {
      told.push({ at: Date.now(), incident, verb, text });
      line(verb, text);
    },
  };
}
