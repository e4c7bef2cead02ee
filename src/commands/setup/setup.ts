import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fetchByProxies } from "../../adapters/http/proxy.ts";
import { type Guardrails, parseGuardrails } from "../../domain/guardrails/guardrails.ts";
import type { Clock } from "../../ports/runtime.ts";
import { isKnownFailure } from "../../ports/errors.ts";
import { webAddress } from "../../settings/links.ts";
import { proxiesOf, withProxyNames } from "../../settings/proxies.ts";
import { parseSettings, type Settings } from "../../settings/settings.ts";
import { examineSources } from "../doctor/cluster.ts";
import { examine } from "../doctor/doctor.ts";
import type { DoctorFinding } from "../doctor/finding.ts";
import { type Answers, answersOf, type SetupAsked } from "./answers.ts";
import { appOf } from "./app.ts";
import { type Dialog, interactive, scripted, WrongCall } from "./dialog.ts";
import { alertmanagerRoute, startLines } from "./next-steps.ts";
import { awaitInstallation, type Client, lookAround, openOnboarding } from "./onboarding.ts";
import { environmentOf, filesOf, type Kept, podNotes, writeSecretFile } from "./secret-files.ts";

type Env = Readonly<Record<string, string | undefined>>;

/** Brings an installation up from nothing, or from where an earlier run ended. The answer is the exit code. */
export async function runSetup(asked: SetupAsked, env: Env, write: (line: string) => void): Promise<number> {
  fetchByProxies(proxiesOf(withProxyNames(env)));
  const dialog = asked.yes === true ? scripted(write) : interactive(process.stdin, process.stdout);
  try {
    const answers = await answersOf(asked, env, dialog);
    return await setUp({ answers, dialog, env, replace: asked.replace === true });
  } catch (error) {
    if (!(error instanceof WrongCall) && !isKnownFailure(error)) throw error;
    const problems = error instanceof WrongCall ? error.problems : [error.message];
    dialog.tell(`rectify setup stopped:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
    if (error instanceof WrongCall) return 2;
    dialog.tell("Run it again when that is fixed: what is there already stays.");
    return 1;
  } finally {
    dialog.close();
  }
}

interface Run {
  readonly answers: Answers;
  readonly dialog: Dialog;
  readonly env: Env;
  readonly replace: boolean;
}

const clock: Clock = { now: () => new Date() };
const installEveryMs = 2_000;

async function setUp(run: Run): Promise<number> {
  const { answers, dialog } = run;
  const kept = await appOf(answers, dialog.tell);
  await writeFiles(run, kept);
  const settings = settingsOf(run, kept);
  const client = await awaitInstallation(settings, kept.installUrl, {
    ...{ tell: dialog.tell, deadlineMs: answers.waitMinutes * 60_000, everyMs: installEveryMs },
  });
  dialog.tell(`GitHub: the App ${client.login} is installed on ${answers.owner}/${answers.repo}`);
  const waiting = await onboard(run, settings, client);
  for (const line of [...alertmanagerRoute(answers), ...startLines(answers)]) dialog.tell(line);
  dialog.tell("\nrectify doctor:");
  const findings = await examine({ ok: true, value: settings }, clock);
  // What waits for a person in the pull request is no fault of the installation.
  const waits = ({ state, point }: DoctorFinding) => waiting && state === "bad" && point === "guardrails";
  const open = findings.filter((finding) => finding.state === "bad" && !waits(finding));
  for (const finding of findings)
    dialog.tell(lineOf(waits(finding) ? { ...finding, fix: "merge the pull request above" } : finding));
  dialog.tell(open.length === 0 ? "\nRectify is set up." : `\nRectify is set up, but for ${open.length} points above.`);
  return open.length === 0 ? 0 : 1;
}

async function writeFiles({ answers, dialog, replace }: Run, kept: Kept): Promise<void> {
  const question = (path: string) => `${path} is there and says something else. Replace it?`;
  for (const [name, text] of Object.entries(filesOf(answers, kept))) {
    const path = join(answers.directory, name);
    const outcome = await writeSecretFile(path, text, async () => replace || dialog.confirm(question(path)));
    const note = outcome === "kept" ? "kept, though it says something else (--replace writes it anew)" : outcome;
    const near = relative(process.cwd(), path);
    dialog.tell(`${near.startsWith("..") ? path : near}: ${note}`);
  }
  for (const note of podNotes(answers)) dialog.tell(`  ${note}`);
}

/** The settings as `serve` will read them; a cluster's own credentials are those of this machine as long as setup runs. */
function settingsOf({ answers, env }: Run, kept: Kept): Settings {
  const read = parseSettings({ ...env, ...environmentOf(answers, kept), PRIVATE_KEY: kept.privateKey });
  if (!read.ok) throw new WrongCall(read.problems);
  return read.value;
}

/** Whether the onboarding pull request waits for a person. */
async function onboard({ answers, dialog }: Run, settings: Settings, client: Client): Promise<boolean> {
  const scratch = mkdtempSync(join(tmpdir(), "rectify-setup-"));
  try {
    dialog.tell("Looking through the repository and its metrics …");
    const look = await lookAround(answers, { settings, client, clock, scratch });
    const namespaces = look.kind === "there" ? [] : look.fitted.namespaces;
    dialog.tell("What answers from here:");
    for (const finding of await probe(settings, namespaces)) dialog.tell(lineOf(finding));
    if (look.kind === "there") {
      dialog.tell("Guardrails: the repository has .github/rectify.yml already");
      return false;
    }
    for (const reason of look.fitted.reasons) dialog.tell(`  ${reason.replaceAll("`", "")}`);
    const { pull, isNew, isOpen } = await openOnboarding(client, look.fitted);
    const web = webAddress(settings.github.apiUrl);
    const what = isNew
      ? "opened"
      : isOpen
        ? "open already"
        : "closed before, and not opened again: commit the file yourself";
    dialog.tell(`Guardrails: pull request #${pull} ${what}: ${web}/${answers.owner}/${answers.repo}/pull/${pull}`);
    return isOpen;
  } finally {
    rmSync(scratch, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function probe(settings: Settings, namespaces: readonly string[]): Promise<readonly DoctorFinding[]> {
  const parsed = parseGuardrails({ namespaces });
  const guardrails: Guardrails | undefined = parsed.ok && namespaces.length > 0 ? parsed.value : undefined;
  return examineSources(settings, { guardrails, head: undefined, contains: async () => false, clock });
}

function lineOf({ point, state, found, fix }: DoctorFinding): string {
  return `  ${state.padEnd(7)} ${point}: ${found}${fix === undefined ? "" : `\n          fix: ${fix}`}`;
}
