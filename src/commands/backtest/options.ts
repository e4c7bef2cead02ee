import { accessSync, constants, existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { linesOf } from "../../flow/collect/load-guardrails.ts";
import { readGuardrails } from "../../manifests/repository/guardrails-file.ts";
import { whyNot } from "../why-not.ts";

/** What is asked of a backtest, as it was written on the command line. */
export interface BacktestAsked {
  readonly days: string;
  readonly until?: string;
  readonly rate: string;
  readonly step: string;
  readonly record?: string;
  readonly repository?: string;
  readonly guardrails?: string;
  readonly html?: string;
  readonly json?: true;
}

/** The time that is looked at, and how fast. Throws with the option that is wrong. */
export function spanOf({ days, rate, until, step }: BacktestAsked, now: Date) {
  const to = until === undefined ? now : new Date(until);
  if (!(Number(days) > 0 && Number(days) <= 400)) throw new Error("--days must be a number up to 400");
  if (rate.trim() === "" || !(Number(rate) >= 0))
    throw new Error("--rate must be a number of queries a second, 0 for no limit");
  if (Number.isNaN(to.getTime())) throw new Error("--until must be a time such as 2026-11-20T00:00:00Z");
  if (!(Number(step) >= 1 && Number(step) <= 300)) throw new Error("--step must be 1 to 300 seconds");
  const begins = to.getTime() - Number(days) * 86_400_000;
  return { stepSeconds: Number(step), from: onGrid(begins, step), to: onGrid(to.getTime(), step), rate: Number(rate) };
}

/** Every run looks at the same moments, whenever it begins: else the same firing would be another incident each time. */
function onGrid(at: number, step: string): Date {
  const gridMs = Number(step) * 1_000;
  return new Date(Math.floor(at / gridMs) * gridMs);
}

/** The guardrails to try, before anything is asked: a file that nobody can read would refuse every incident. */
export function guardrailsIn(file: string): string {
  const bytes = readNamed("--guardrails", file);
  const read = readGuardrails(bytes);
  if (!read.ok) throw new Error(`--guardrails: the file is invalid: ${linesOf(file, read.problems).join("; ")}`);
  return new TextDecoder().decode(bytes);
}

function readNamed(option: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new Error(`${option}: ${file} ${whyNot(error, "cannot be read")}: name a file that can be read`, {
      cause: error,
    });
  }
}

/** A file that is written to in the end can be written to now. */
export function writableAt(option: string, file: string): string {
  const place = resolve(file);
  try {
    if (existsSync(place) && statSync(place).isDirectory()) throw Object.assign(new Error(), { code: "EISDIR" });
    mkdirSync(dirname(place), { recursive: true });
    accessSync(existsSync(place) ? place : dirname(place), constants.W_OK);
    return place;
  } catch (error) {
    const because = whyNot(error, "cannot be written");
    throw new Error(`${option}: ${place} ${because}: name a file in a directory that can be written to`, {
      cause: error,
    });
  }
}
