import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { isSame, PastRecord } from "../../src/domain/backtest/record.ts";
import type { Verdict } from "../../src/domain/backtest/verdict.ts";
import { forgeWrites } from "../../src/lab/forge/writes.ts";
import { openReadingForge, type ReadingForge } from "../../src/lab/scenarios/backtest/reading-forge.ts";
import { type Finding, findingOf } from "./finding.ts";
import type { Outcome, EndedRun } from "./run-scenario.ts";
import { type RealWorld, rectifyAccount } from "./real-run.ts";

/**
 * `rectify backtest` over the last hour of the real Prometheus and Loki: it must find each scenario and what was merged, by
 * tokens that may only read, and must not try to write anything.
 */
export async function checkBacktest(world: RealWorld, outcomes: readonly Outcome[]): Promise<readonly Finding[]> {
  const scenarios = outcomes.flatMap((outcome) => (outcome.ran ? [{ ...outcome, ran: outcome.ran }] : []));
  const directory = join(world.scratch, "backtest");
  mkdirSync(directory);
  const joined = joinedHistory(
    directory,
    scenarios.map(({ ran }) => ran.repository),
  );
  const reading = await openReadingForge(join(directory, "forge"), joined);
  const heardBefore = auditOf(world).length;
  try {
    const told = await run(directory, world, reading);
    if (told.report === undefined)
      return [{ what: "backtest", wrong: `exit code ${told.code}: ${told.errors}`, seen: "" }];
    const { report } = told;
    return [
      ...scenarios.filter(({ ran }) => ran.remedy !== undefined).map((scenario) => foundAgain(scenario, report)),
      await findingOf("backtest: answers", async () => {
        if (told.code !== 0)
          throw new Error(`exit code ${told.code}: ${report.unanswered} incidents without an answer`);
        return `${report.incidents} incidents, ${JSON.stringify(report.verdicts)}`;
      }),
      await findingOf("backtest: writes", async () => nothingWritten(reading, auditOf(world).slice(heardBefore))),
    ];
  } finally {
    await reading.forge.close();
  }
}

const Report = z.object({
  ...{ incidents: z.number(), unanswered: z.number(), verdicts: z.record(z.string(), z.number()) },
  records: z.array(PastRecord),
});
type Report = z.infer<typeof Report>;

// Both clocks are this machine's; Alertmanager's start is the rule's, and the past is read once a second.
const sameMs = 5_000;

function foundAgain({ scenario, engine, ran }: Outcome & { readonly ran: EndedRun }, { records }: Report): Finding {
  const what = `backtest: ${scenario} through ${engine}`;
  // Rules that lead nowhere live may have begun it a little before: it is the incident that was under way then.
  const found = records.findLast(
    ({ workload, startedAt, endedAt }) =>
      workload === ran.workload &&
      Date.parse(startedAt) <= ran.startedAt + sameMs &&
      (endedAt === undefined || Date.parse(endedAt) >= ran.startedAt - sameMs),
  );
  if (found === undefined) {
    const times = records.map(({ startedAt }) => startedAt).join(", ");
    return { what, wrong: `not found at ${new Date(ran.startedAt).toISOString()} among ${times}`, seen: "" };
  }
  const { would, verdict } = found;
  const seen = `${verdict.kind}: ${verdict.because}`;
  const remedy = would.kind === "proposed" ? would.remedy : would.kind;
  const wrong = [
    ...(remedy === ran.remedy ? [] : [`${remedy}, not ${String(ran.remedy)}`]),
    ...(ran.reverted ? againstReverted(verdict) : againstMerged(verdict, ran)),
  ];
  return { what, wrong: wrong.length === 0 ? undefined : wrong.join(", "), seen };
}

function againstMerged(verdict: Verdict, { to }: EndedRun): readonly string[] {
  return [
    ...(isSame(verdict) ? [] : ["not as what was merged"]),
    ...(verdict.theirs === to ? [] : [`merged was ${String(verdict.theirs)}, not ${String(to)}`]),
  ];
}

function againstReverted({ kind, because }: Verdict): readonly string[] {
  return kind === "different" && because.includes("reverted it") ? [] : ["what was reverted counts as agreed"];
}

/** What reached the forge, and what the API server's audit log has of Rectify's account. */
function nothingWritten({ forge }: ReadingForge, audit: readonly string[]): string {
  const asked = audit.map((line) => z.object({ verb: z.string(), requestURI: z.string() }).parse(JSON.parse(line)));
  const verbs = asked.filter(({ verb }) => !["get", "list", "watch"].includes(verb));
  const writes = [...forgeWrites(forge), ...verbs.map(({ verb, requestURI }) => `${verb} ${requestURI}`)];
  if (writes.length > 0) throw new Error(`it tried to write: ${writes.join(", ")}`);
  if (forge.gitCalls.length === 0) throw new Error("it never asked the forge");
  return `none; ${forge.gitCalls.length + forge.calls.length} reads of the forge, ${asked.length} of the API server`;
}

function auditOf({ plane }: RealWorld): readonly string[] {
  return readFileSync(plane.auditPath, "utf8")
    .split("\n")
    .filter((line) => line !== "");
}

const command = fileURLToPath(new URL("../../src/cli.ts", import.meta.url));

/** The command as people call it, in a process of its own; the waits are those of the scenarios. */
async function run(directory: string, { plane, telemetry, kyverno }: RealWorld, { forge, token }: ReadingForge) {
  const tokenPath = join(directory, "token");
  writeFileSync(tokenPath, await plane.tokenFor(rectifyAccount.namespace, rectifyAccount.name));
  const hour = String(1 / 24);
  const asked = ["--days", hour, "--rate", "0", "--step", "1", "--repository", forge.cloneUrl, "--json"];
  const child = spawn(process.execPath, ["--import", "tsx", command, "backtest", ...asked], {
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...{ PATH: process.env.PATH, HOME: directory, NODE_NO_WARNINGS: "1" },
      ...{ RECTIFY_DATA: join(directory, "data"), GITHUB_TOKEN: token, CLUSTER_NAME: "e2e", KYVERNO: kyverno },
      ...{ PROMETHEUS_URL: telemetry.prometheusUrl, LOKI_URL: telemetry.lokiUrl },
      ...{ KUBERNETES_URL: plane.url, KUBERNETES_TOKEN_PATH: tokenPath, KUBERNETES_CA_PATH: plane.caPath },
      ...{ LINGER_MS: "1000", LOOKBACK_MS: "30000", RATE_WINDOW: "5s", SETTLE_MS: "2000" },
    },
  });
  const [said, errors]: [Buffer[], Buffer[]] = [[], []];
  child.stdout.on("data", (chunk: Buffer) => void said.push(chunk));
  child.stderr.on("data", (chunk: Buffer) => void errors.push(chunk));
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  const text = Buffer.concat(said).toString();
  writeFileSync(join(directory, "report.json"), text);
  const read = Report.safeParse(text.startsWith("{") ? JSON.parse(text) : undefined);
  return {
    code,
    report: read.data,
    errors: `${Buffer.concat(errors).toString()} ${read.error?.message ?? ""}`.slice(-800),
  };
}

/**
 * One branch as the cluster saw it: each scenario's commits behind those of the scenario before, at their own times, and as if
 * people had made them: with Rectify's own commits nothing is compared.
 */
function joinedHistory(directory: string, repositories: readonly string[]): string {
  const joined = join(directory, "joined.git");
  const git = (args: readonly string[], env: NodeJS.ProcessEnv = {}, input?: string) =>
    execFileSync("git", [...args], { cwd: joined, encoding: "utf8", env: { ...process.env, ...env }, input }).trim();
  mkdirSync(joined);
  git(["init", "--quiet", "--bare", "--initial-branch=main", "."]);
  let last: string | undefined;
  for (const repository of repositories) {
    git(["fetch", "--quiet", repository, "refs/heads/main"]);
    for (const sha of git(["rev-list", "--reverse", "--first-parent", "FETCH_HEAD"]).split("\n")) {
      const fields = git(["show", "--no-patch", "--format=%T%n%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%B", sha]).split("\n");
      const [tree = "", name, email, date, committer, address, committed, ...message] = fields;
      const signed = {
        ...{ GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: email, GIT_AUTHOR_DATE: date },
        ...{ GIT_COMMITTER_NAME: committer, GIT_COMMITTER_EMAIL: address, GIT_COMMITTER_DATE: committed },
      };
      const parent = last === undefined ? [] : ["-p", last];
      const unmarked = message.filter((line) => !line.startsWith("Incident-UID: "));
      last = git(["commit-tree", tree, ...parent], signed, unmarked.join("\n"));
    }
  }
  if (last === undefined) throw new Error("no scenario was run");
  git(["update-ref", "refs/heads/main", last]);
  return joined;
}
