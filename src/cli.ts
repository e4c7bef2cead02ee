#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { Argument, Command } from "commander";
import type { BacktestAsked } from "./commands/backtest/options.ts";
import { letNameRepository } from "./commands/records/named-repository.ts";
import { completedShells, completionOf } from "./commands/install/completion.ts";
import { examplesOf } from "./commands/install/examples.ts";
import type { AuditQuestion } from "./commands/records/audit.ts";
import type { EvaluationAsked } from "./commands/records/evaluate.ts";
import type { Told } from "./commands/told.ts";
import type { TrainingExport } from "./commands/records/export-training.ts";
import type { IncidentsAsked } from "./commands/records/incidents.ts";
import type { PoliciesAsked } from "./commands/repository/check-policies.ts";
import { locateHelp } from "./commands/repository/locate-answer.ts";
import type { LocateAsked } from "./commands/repository/locate.ts";
import type { SetupAsked } from "./commands/setup/answers.ts";
import { failureInWords } from "./commands/why-not.ts";
import type { SurveyAsked } from "./commands/repository/survey.ts";
import type { LabAsked } from "./lab/lab.ts";
import { scenarioNames } from "./lab/scenarios/names.ts";
import { settingsHelp } from "./settings/settings-table.ts";

// What a command needs is loaded when it is called: the whole product takes a second to load, and help none of it.
const command = {
  audit: () => import("./commands/records/audit.ts"),
  backtest: () => import("./commands/backtest/backtest.ts"),
  backtestSources: () => import("./commands/backtest/sources.ts"),
  checkPolicies: () => import("./commands/repository/check-policies.ts"),
  config: () => import("./commands/repository/config.ts"),
  deliveries: () => import("./commands/records/deliveries.ts"),
  doctor: () => import("./commands/doctor/each.ts"),
  evaluate: () => import("./commands/records/evaluate.ts"),
  explain: () => import("./commands/records/explain.ts"),
  exportTraining: () => import("./commands/records/export-training.ts"),
  incidents: () => import("./commands/records/incidents.ts"),
  lab: () => import("./lab/lab.ts"),
  locate: () => import("./commands/repository/locate.ts"),
  memory: () => import("./commands/records/memory.ts"),
  setup: () => import("./commands/setup/setup.ts"),
  survey: () => import("./commands/repository/survey.ts"),
};

const product = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as { version: string };
// Scripts tell a wrong call (2) from a command that found something wrong (1).
const program = new Command("rectify")
  .description("Turns a production alert into a reviewed, verified Git change.")
  .version(product.version)
  .exitOverride(({ exitCode }) => process.exit(exitCode === 0 ? 0 : 2))
  .addHelpText("after", examplesOf("rectify"));

program
  .command("serve")
  .description("run the bot; every setting comes from the environment")
  .addHelpText("after", settingsHelp)
  .action(serve);

program
  .command("setup")
  .description("from nothing to a running installation: the App, its secrets, the guardrails; run again, it goes on")
  .option("--yes", "ask nothing: what is not given is found, or left out")
  .option("--config <file>", "answers as YAML (manifests/README.md)")
  .option("--set <name=value...>", "single answers, such as directory=secrets LOKI_URL=http://loki:3100")
  .option("--replace", "write secret files anew that say something else")
  .action(async (asked: SetupAsked) =>
    process.exit(await (await command.setup()).runSetup(asked, process.env, writeLine)),
  );

program
  .command("lab")
  .description("run one incident from alert to verified recovery in an embedded world")
  .option("--scenario <name>", `one of: ${scenarioNames.join(", ")}`, "scale")
  .option("--fault <file>", "run the fault that this file describes instead (test/faults-atlas/README.md)")
  .option("--json", "print one JSON object as the last line, and nothing else")
  .option("--keep", "keep the pages up until Ctrl-C")
  .action(async ({ scenario, fault, json = false, keep = false }: LabAsked) => {
    const data = json ? undefined : resolve(process.env.RECTIFY_DATA || ".rectify", "lab");
    process.exit(await (await command.lab()).runLab({ scenario, fault, json, keep, data }));
  });

program
  .command("incidents")
  .description("list the incidents on record, open ones first, then newest first")
  .option("--open", "only those that are open")
  .option("--state <state>", "only those that ended so: recovered, reverted, declined, refused, …")
  .option("--workload <part>", "only those of workloads whose namespace/Kind/name holds this")
  .option("--alert <name>", "only those that this alert opened")
  .option("--text <part>", "only those that hold this in workload, alert or reason")
  .option("--since <duration>", "only those opened within it, such as 24h or 7d")
  .option("--limit <number>", "at most so many", "50")
  .option("--json", "print one JSON object a line")
  .action(async (asked: IncidentsAsked) =>
    print(await (await command.incidents()).listIncidents(asked, process.env, new Date())),
  );

program
  .command("explain <incident>")
  .description("tell an incident (its uid, pull request or commit) from its records: timeline, causes, cost, lineage")
  .action(async (name: string) => print(await (await command.explain()).explain(name, process.env)));

program
  .command("audit")
  .description("print the append-only log as JSON lines and check its chain; exit code 1 when a row is gone or changed")
  .option("--incident <uid>", "only the rows of this incident")
  .option("--known <hash>", "the hash of a row of an earlier export, which must still be there")
  .action(async (question: AuditQuestion) => {
    const { lines, notes, code } = await (await command.audit()).exportAudit(question, process.env);
    if (lines.length > 0) print({ lines, code });
    for (const note of notes) process.stderr.write(`${note}\n`);
    process.exitCode = code;
  });

const deliveries = program
  .command("deliveries")
  .description("list the deliveries of Alertmanager and GitHub that are parked, with the reason")
  .action(async () => print(await (await command.deliveries()).listDeliveries(process.env)));
deliveries
  .command("replay [ids...]")
  .description("let parked deliveries be tried again")
  .option("--all", "every one that is parked")
  .action(async (ids: string[], { all }: { all?: true }) =>
    print(await (await command.deliveries()).replayDeliveries(all === true ? "all" : ids, process.env)),
  );

program
  .command("replay <capsule>")
  .description("repeat the diagnosis of an incident's capsule, offline")
  .action(async (capsule: string) => print((await command.explain()).replay(capsule)));

const memory = program
  .command("memory")
  .description("print the state of the memory, and every post-mortem with what it came to (+ counts, - does not)")
  .option("--repository <directory>", "a checkout; by default what a running Rectify fetched last")
  .action(async ({ repository }: { repository?: string }) =>
    print(await (await command.memory()).showMemory(repository, process.env)),
  );
memory
  .command("search <text>")
  .description("print the nearest entries of the index")
  .action(async (text: string) => print(await (await command.memory()).searchMemory(text, process.env)));

program
  .command("export-training")
  .description("write the verified incidents as instruction pairs for a trainer")
  .requiredOption("--out <directory>", "where train.jsonl, validation.jsonl, README.md and Modelfile go")
  .option("--repository <directory>", "a checkout; by default what a running Rectify fetched last")
  .option("--base <model>", "the model that will be trained, as Ollama names it", "llama3.1:8b")
  .action(async (asked: TrainingExport) =>
    print(await (await command.exportTraining()).exportTraining(asked, process.env, new Date())),
  );

program
  .command("eval <capsules...>")
  .description("put the questions of capsules to a model at OLLAMA_HOST: accuracy, abstention, latency")
  .requiredOption("--model <name>", "the model to judge")
  .option(
    "--baseline <model|file>",
    "refuse, with exit code 1, if it is worse than this model or earlier --json output",
  )
  .option("--repository <directory>", "a checkout whose verified post-mortems say what was right")
  .option("--json", "print one JSON object")
  .action(async (capsules: string[], asked: Omit<EvaluationAsked, "capsules">) =>
    print(await (await command.evaluate()).evaluate({ ...asked, capsules }, process.env)),
  );

const config = program.command("config").description("the guardrails file of a repository, .github/rectify.yml");
config
  .command("check [file]")
  .description("say what is wrong with it, with line and remedy")
  .action(async (file?: string) => print((await command.config()).checkConfig(file)));
config
  .command("schema")
  .description("print its JSON schema, for editors")
  .action(async () => print((await command.config()).configSchema()));
config
  .command("init")
  .description("print one with every default, explained")
  .option("--namespace <name...>", "namespaces whose workloads may be changed", [])
  .action(async ({ namespace }: { namespace: string[] }) => print((await command.config()).initialConfig(namespace)));

program
  .command("survey [directory]")
  .description("show, offline, what Rectify would find in a repository: every field it could edit, proved or refused")
  .option("--prove", "render with kustomize (or kubectl) where it is installed, not only with the built-in")
  .option("--json", "print one JSON object")
  .action(async (directory: string | undefined, asked: SurveyAsked) => {
    const isSeen = process.stderr.isTTY && !asked.json;
    const progress = (line: string) =>
      isSeen ? void process.stderr.write(`\r\x1b[K${line.slice(0, (process.stderr.columns ?? 80) - 1)}`) : undefined;
    const { surveyCommand } = await command.survey();
    await surveyCommand(directory ?? ".", asked, { write: writeLine, progress });
  });

program
  .command("locate [workload] [change]")
  .description("say which bytes of a repository a change of a workload would edit: shop/Deployment/web replicas=5")
  .option("--tree <directory>", "the repository, or the directory that holds the trees of the questions", ".")
  .option("--questions <file>", "answer a file of questions, one JSON object a line (- for the standard input)")
  .option("--prove", "render with kustomize (or kubectl) and helm where they are installed, not only with the built-in")
  .option("--entry <path>", "the directory that the controller builds")
  .option("--tool <name>", "who builds it: flux, argocd, kustomize or plain")
  .option("--object <name>", "the controller's object: 'Kustomization flux-system/apps'")
  .option("--container <name>", "the container, for resources and tags")
  .option("--json", "print the answer as one JSON object")
  .option("--schema", "print the JSON schemas of a question and of an answer")
  .addHelpText("after", locateHelp)
  .action(async (workload: string | undefined, change: string | undefined, asked: LocateAsked) => {
    const words = [workload, change].filter((word) => word !== undefined);
    process.exitCode = await (await command.locate()).locateCommand(words, asked, writeLine);
  });

program
  .command("backtest")
  .description(
    "say, from your own past and by reading only, what Rectify would have done: incidents from Prometheus' ALERTS",
  )
  .option("--days <number>", "how far back", "30")
  .option("--until <time>", "the end of that past, RFC 3339; by default now")
  .option("--rate <number>", "queries a second to Prometheus and Loki together, 0 for no limit", "10")
  .option("--step <seconds>", "how finely ALERTS is read: what fired more briefly is not found", "30")
  .option("--record <file>", "where each incident is kept as a line of JSON: a restart goes on there")
  .option("--repository <place>", "a clone on this machine, or an https address (GITHUB_TOKEN reads it on your GitHub)")
  .option("--guardrails <file>", "guardrails to try instead of those of the default branch")
  .option("--html <file>", "write the report as one self-contained page")
  .option("--json", "print one JSON object")
  .action(async (asked: BacktestAsked) => {
    const { backtestSettings } = await command.backtestSources();
    const settings = backtestSettings(process.env, asked.repository);
    if (!settings.ok) return fail(settings.problems);
    const isSeen = process.stderr.isTTY === true;
    const progress = (line: string) => {
      if (isSeen) process.stderr.write(`\r\x1b[K${line.slice(0, 100)}`);
      else if (line !== "") process.stderr.write(`${line}\n`);
    };
    const { backtest } = await command.backtest();
    // Git's own timers would keep it for ten seconds more.
    process.exit(await backtest(asked, settings.value, { write: writeLine, progress, now: () => new Date() }));
  });

program
  .command("check-policies")
  .description(
    "judge rendered objects by the policies of the base commit, as the workflow does; exit code 1 unless they pass",
  )
  .requiredOption("--before <file>", "the objects of the base, rendered")
  .requiredOption("--after <file>", "the objects of the head, rendered")
  .requiredOption("--policies <directory>", "the policies of the base")
  .option("--by-rectify", "the change is Rectify's own: every changed field must be allowed")
  .option("--incident <uid>", "the Incident-UID of its commit")
  .option("--reverts <sha>", "the commit that it reverts, as its trailer Reverts-Commit says")
  .action(async (asked: PoliciesAsked) =>
    print(await (await command.checkPolicies()).checkPolicies(asked, process.env)),
  );

program
  .command("doctor")
  .description("check the whole installation and say how to fix what is wrong; writes nothing")
  .option("--json", "print one JSON object: ok, and for each point its name, state, ok, because and fix")
  .action(doctor);

letNameRepository(program.commands, process.env);
for (const one of program.commands) one.addHelpText("after", examplesOf(one.name()));
program.addCommand(
  new Command("completion")
    .copyInheritedSettings(program)
    .description("print the completion of a shell: source <(rectify completion bash)")
    .addArgument(new Argument("<shell>", "whose").choices(completedShells))
    .action((shell: (typeof completedShells)[number]) => print({ lines: [completionOf(program, shell)], code: 0 })),
);

await program.parseAsync().catch((error: Error) => fail([failureInWords(error)]));

async function serve(): Promise<void> {
  const { serveWith } = await import("./commands/serve.ts");
  await serveWith(async (...start) => (await import("./main.ts")).startRectify(...start), fail);
}

function writeLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

function print({ lines, code }: Told): void {
  process.stdout.write(`${lines.join("\n")}\n`);
  process.exitCode = code;
}

async function doctor(options: { json?: true }): Promise<void> {
  const { runDoctor } = await command.doctor();
  const { parseSettings } = await import("./settings/settings.ts");
  print(await runDoctor(parseSettings(process.env), options.json === true, { now: () => new Date() }));
  process.exit();
}

/** Every problem at once, each with its remedy, under a headline of the command that was called. */
function fail(problems: readonly string[]): never {
  const [called = ""] = program.args;
  const headline = called === "serve" || called === "" ? "Rectify cannot start" : `rectify ${called} failed`;
  console.error(`${headline}:\n${problems.map((problem) => `  - ${problem}`).join("\n")}`);
  process.exit(1);
}
