import { preflight } from "../settings/preflight.ts";
import { runScenario, type LabResult } from "./run.ts";
import { scenarioNames, scenarioOf } from "./scenarios/catalogue.ts";
import { labPrinter } from "./printer.ts";

export interface LabOptions {
  readonly scenario: string;
  /** One JSON object as the last line of stdout; the story goes to stderr. */
  readonly json: boolean;
  /** Keep the world up until the process is told to stop. */
  readonly keep: boolean;
}

/** Plays one scenario. The answer is the exit code: 0 only when the story ended as it should. */
export async function runLab(options: LabOptions): Promise<number> {
  // A library's note to its own developers has no place in the story.
  process.noDeprecation = true;
  const out = (line: string) => process.stdout.write(`${line}\n`);
  const story = options.json ? (line: string) => process.stderr.write(`${line}\n`) : out;
  const scenario = scenarioOf(options.scenario);
  const problems = [
    ...(scenario ? [] : [`no scenario ${options.scenario}: choose one of ${scenarioNames.join(", ")}`]),
    ...(await preflight(undefined)),
  ];
  if (!scenario || problems.length > 0) {
    process.stderr.write(`The lab cannot start:\n${problems.map((problem) => `  - ${problem}\n`).join("")}`);
    return 1;
  }
  const teller = labPrinter(story, !options.json && process.stdout.isTTY === true);
  const played = await runScenario(options.scenario, scenario, { teller, keep: options.keep });
  if (options.json) out(JSON.stringify(played.result));
  else summary(played.result, played.wrong).forEach(out);
  for (const problem of options.json ? played.wrong : []) process.stderr.write(`not as it should be: ${problem}\n`);
  return played.wrong.length === 0 ? 0 : 1;
}

function summary(result: LabResult, wrong: readonly string[]): string[] {
  const { pr, timings } = result;
  return [
    "",
    `Incident     ${result.incident ?? "none"}`,
    ...(pr ? [`Pull request #${pr.number}: ${pr.files.join(", ")} [${pr.labels.join(", ")}]`] : []),
    `Ending       ${result.ending ?? "none"} (merged: ${yes(result.merged)}, synced: ${yes(result.synced)}, recovered: ${yes(result.recovered)})`,
    `Timings      alert to pull request ${seconds(timings.alertToPrMs)}, merge to recovery ${seconds(timings.mergeToRecoveredMs)}`,
    `GitHub calls ${result.githubCalls}`,
    "",
    wrong.length === 0 ? "The story ended as it should." : `Not as it should be: ${wrong.join("; ")}`,
  ];
}

const yes = (value: boolean) => (value ? "yes" : "no");
const seconds = (ms: number | null) => (ms === null ? "-" : `${(ms / 1000).toFixed(1)} s`);
