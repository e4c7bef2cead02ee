import { writeFileSync } from "node:fs";
import { labPrinter } from "../../../src/lab/printer.ts";
import { runScenario } from "../../../src/lab/run.ts";
import { scenarioOf } from "../../../src/lab/scenarios/catalogue.ts";
import type { LabRun } from "../../../src/lab/start.ts";

/*
 * read-texts.ts SCENARIO FILE: runs the scenario as `rectify lab` does, and writes what people read on GitHub because
 * of it into FILE, as JSON: Markdown by the name of its file.
 */

export type Texts = Readonly<Record<string, string>>;

const quietMs = 4_000;
const longestMs = 40_000;

const [ran = "", file = ""] = process.argv.slice(2);
const scenario = scenarioOf(ran);
if (scenario === undefined || file === "") throw new Error("usage: read-texts.ts SCENARIO FILE");
process.noDeprecation = true;
const printer = labPrinter((line) => process.stderr.write(`${line}\n`), false);
const look = async (run: LabRun) => writeFileSync(file, JSON.stringify(await settledTexts(run)));
const { result, wrong } = await runScenario(ran, scenario, { printer, keep: false, look });
// A whole incident, with the start of Rectify; on a busy machine a pull request is looked at once more, and it is run again.
const mostCalls = 40;
const isCostly = ran === "scale" && result.githubCalls > mostCalls;
const problems = isCostly ? [...wrong, `${result.githubCalls} calls of GitHub, not ${mostCalls} at most`] : wrong;
for (const problem of problems) process.stderr.write(`not as it should be: ${problem}\n`);
process.exit(problems.length === 0 ? 0 : 1);

/** The last words are written after the workflow has ended: they are read once they stay the same. */
async function settledTexts(run: LabRun): Promise<Texts> {
  const deadline = Date.now() + longestMs;
  let texts = await textsOf(run);
  for (let since = Date.now(); Date.now() - since < quietMs && Date.now() < deadline; ) {
    await new Promise((resume) => setTimeout(resume, 250));
    const now = await textsOf(run);
    if (JSON.stringify(now) !== JSON.stringify(texts)) since = Date.now();
    texts = now;
  }
  return texts;
}

async function textsOf({ forge, rectify }: LabRun): Promise<Texts> {
  const texts: Record<string, string> = {};
  // By their order: which number the second one gets depends on when the dashboard issue is opened.
  for (const [index, { number, title, head }] of forge.pulls().entries()) {
    const name = `pull-${index + 1}`;
    const { body } = await forge.pull(number);
    const checks = forge.checks(head.sha).filter(({ output }) => output?.title);
    const verdicts = checks.map(({ output }) => `\n\n---\n\n**Check: ${output?.title}**\n\n${output?.summary ?? ""}`);
    texts[`${name}.md`] = `# ${title}\n\n${body ?? ""}${verdicts.join("")}`;
    const comments = forge.comments(number).map(({ user, body: said }) => `**${user?.login}:**\n\n${said}`);
    texts[`${name}-comments.md`] = comments.join("\n\n---\n\n");
  }
  const ofRectify = forge.issues().filter(({ pull_request: pull }) => pull === undefined);
  for (const [index, { title, body }] of ofRectify.entries())
    texts[`issue-${index + 1}.md`] = `# ${title}\n\n${body ?? ""}`;
  const files = await rectify.store.pendingFiles();
  for (const [index, { content }] of files.filter(({ path }) => path.endsWith(".md")).entries())
    texts[`post-mortem-${index + 1}.md`] = content;
  return texts;
}
