import { readCapsule } from "../../domain/records/capsule.ts";
import { asDecided } from "../../domain/root-cause/cause.ts";
import { nameOf } from "../../domain/root-cause/changes/name-of.ts";
import { repositoryFiles } from "../repository.ts";
import { approver, comment, passCi, type Scenario } from "../scenario.ts";
import { type LabRun, until } from "../start.ts";
import { edited } from "./edits.ts";
import type { FaultFile } from "./fault-file.ts";
import { judgeFault } from "./judge-fault.ts";
import { answerTo, faultOf, guardrailsOf, ruleOf } from "./lab-fault.ts";

type Files = Record<string, string>;

/** The fault of a file as a scenario of the lab. Throws where an edit of it finds nothing to change. */
export function faultScenario(fault: FaultFile): Scenario {
  const healthy = withEdits(repositoryFiles("flux"), fault.setup);
  const commits: string[] = [];
  return {
    about: fault.about === "" ? (fault.name ?? "a fault") : fault.about,
    guardrails: guardrailsOf(fault),
    world: { files: healthy, fault: faultOf(fault), rules: [ruleOf(fault)], scriptedModel: true },
    run: async (run) => {
      let files = healthy;
      const make = async ({ message, author, edits }: FaultFile["commits"][number]) => {
        run.say(author, message);
        commits.push(await run.forge.push(edited(files, edits), { message, author }));
        files = withEdits(files, edits);
      };
      for (const commit of fault.commits.filter(({ later }) => later !== true)) {
        await new Promise((resume) => setTimeout(resume, (commit.after ?? 2) * 1_000));
        await make(commit);
      }
      await until("the alert", () => run.cluster.firing().length > 0, 90_000);
      for (const commit of fault.commits.filter(({ later }) => later === true)) await make(commit);
      await answered(run, fault);
    },
    expected: (run, incident) => differences(run, incident, { fault, commits }),
  };
}

function withEdits(files: Files, edits: Parameters<typeof edited>[1]): Files {
  const changed = Object.entries({ ...files, ...edited(files, edits) });
  return Object.fromEntries(changed.filter((entry): entry is [string, string] => entry[1] !== null));
}

/** Waits for the proposal, or for an end without one, and says what the file says. */
async function answered(run: LabRun, fault: FaultFile): Promise<void> {
  const { forge, rectify } = run;
  const isEnded = async () => (await rectify.store.incidents(10)).some(({ ending }) => ending !== undefined);
  await until("a proposal or an ending", async () => forge.pulls().length > 0 || (await isEnded()), 180_000);
  const pull = forge.pulls()[0];
  if (pull === undefined) return;
  await until("the sticky comment", () => forge.comments(pull.number).length > 0);
  const body = answerTo(fault);
  await passCi(run, pull.number);
  if (body !== undefined) await comment(run, pull.number, { by: approver, body });
}

async function differences(
  { rectify, cluster }: LabRun,
  incident: string,
  { fault, commits }: { readonly fault: FaultFile; readonly commits: readonly string[] },
): Promise<readonly string[]> {
  const record = await rectify.store.incident(incident);
  const files = (record?.outcome?.proposal?.files ?? []).filter((path) => !/^(?:postmortems|\.rectify)\//.test(path));
  const document = await rectify.store.capsule(incident);
  const reading = document === undefined ? undefined : readCapsule(document);
  const capsule = reading?.kind === "capsule" ? reading.capsule : undefined;
  const causes = capsule?.diagnosis.kind === "diagnosed" ? asDecided(capsule.diagnosis.causes, capsule.decided) : [];
  const { ending, because = "" } = record ?? {};
  const outcome = ending === undefined ? record?.outcome : { because, ...record?.outcome, ending };
  const ran = {
    ...{ outcome, cause: causes[0] && nameOf(causes[0]), commits, files, told: [] },
    healed: cluster.firing().length === 0,
  };
  return judgeFault(fault, ran).differs;
}
