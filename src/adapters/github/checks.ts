import { checkName, type Proposal, type ProposalDraft } from "../../domain/proposal/pull-request.ts";
import { visible } from "../../domain/text/visible.ts";
import { type CheckState, type RequiredCheck, worstOf } from "../../domain/guardrails/required-check.ts";
import { type MergeMethod, mergeMethods } from "../../domain/guardrails/merge-method.ts";
import type { GitHubClient, MergeWays } from "./github.ts";
import { statusOf } from "./pace.ts";

/** A check that the branch asks for; without `app` anyone may report it. */
export interface WantedCheck {
  readonly name: string;
  readonly app: number | undefined;
}

/** What stands on one commit: the checks that the branch asks for, and those that failed besides. */
interface ChecksOn {
  readonly required: readonly RequiredCheck[];
  readonly failed: readonly string[];
}

/** What was said under one name, by a check run or by a commit status. GitHub wants both where there are both. */
interface Report {
  readonly name: string;
  /** The App that said it; undefined = a person, or an App that cannot be told. */
  readonly app: number | undefined;
  readonly state: CheckState;
  readonly counted: CheckState;
}

/** The checks and statuses of a commit. Passed only when the expected App said success. */
export async function checksOn(client: GitHubClient, wanted: readonly WantedCheck[], sha: string): Promise<ChecksOn> {
  const [runs, statuses] = await Promise.all([checkRuns(client, sha), commitStatuses(client, sha)]);
  const reports = [...runs, ...(statuses ?? [])];
  const unreadable =
    statuses === undefined ? "the App may not read commit statuses: give it statuses: read" : undefined;
  const known = new Set(wanted.map(({ name }) => name));
  const failed = reports.filter(({ name, counted }) => counted === "failed" && !known.has(name));
  return {
    required: wanted.map((one) => requiredCheck(one, reports, unreadable)),
    failed: [...new Set(failed.map(({ name }) => name))],
  };
}

function requiredCheck({ name, app }: WantedCheck, all: readonly Report[], unreadable?: string): RequiredCheck {
  const said = all.filter((report) => report.name === name);
  const because = said.length === 0 ? unreadable : undefined;
  const by = (id: number) => said.filter((report) => report.app === id);
  if (app !== undefined) {
    const own = by(app);
    const failed = said.some((report) => report.counted === "failed");
    const counted = failed ? "failed" : worstOf(own.map((report) => report.counted));
    return { name, state: worstOf(own.map(({ state }) => state)), counted, because };
  }
  const apps = [...new Set(said.flatMap((report) => report.app ?? []))];
  const byApp = apps.map((id) => ({ app: id, state: worstOf(by(id).map(({ state }) => state)) }));
  return { name, state: "pending", counted: worstOf(said.map((report) => report.counted)), byApp, because };
}

async function checkRuns({ octokit, repository, readAll }: GitHubClient, sha: string): Promise<Report[]> {
  const query = { ...repository, ref: sha, filter: "latest" as const };
  const runs = await readAll(async (at) => {
    const { data } = await octokit.rest.checks.listForRef({ ...query, ...at });
    return { data: data.check_runs };
  });
  return runs.map((run) => ({ name: run.name, app: run.app?.id, ...runState(run) }));
}

/** A check that is restarted, neutral or skipped has not passed; GitHub takes the last two for passed. */
function runState(run: { status: string; conclusion: string | null }): Pick<Report, "state" | "counted"> {
  if (run.status !== "completed") return { state: "pending", counted: "pending" };
  if (run.conclusion === "success") return { state: "passed", counted: "passed" };
  const enough = run.conclusion === "neutral" || run.conclusion === "skipped";
  return { state: "failed", counted: enough ? "passed" : "failed" };
}

/** The newest status of each context; undefined = the App may not read them. */
async function commitStatuses(client: GitHubClient, sha: string): Promise<Report[] | undefined> {
  const { octokit, repository } = client;
  const query = { ...repository, ref: sha };
  const all = await client
    .readAll((at) => octokit.rest.repos.listCommitStatusesForRef({ ...query, ...at }))
    .catch((error) => {
      if (statusOf(error) !== 403) throw error;
      return undefined;
    });
  // GitHub lists the newest first.
  const latest = all?.filter((one, at) => all.findIndex(({ context }) => context === one.context) === at);
  return latest && Promise.all(latest.map((status) => statusReport(client, status)));
}

interface RawStatus {
  readonly context: string;
  readonly state: string;
  readonly creator: { readonly login: string; readonly type: string } | null;
}

async function statusReport(client: GitHubClient, { context, state, creator }: RawStatus): Promise<Report> {
  const said = state === "success" ? "passed" : state === "pending" ? "pending" : "failed";
  const slug = creator?.type === "Bot" ? creator.login.replace(/\[bot\]$/, "") : undefined;
  return { name: context, app: slug === undefined ? undefined : await appOf(client, slug), state: said, counted: said };
}

/** A status names the bot that set it, the protection the id of its App. An App that is not public stays unknown. */
async function appOf({ octokit, find, apps }: GitHubClient, slug: string): Promise<number | undefined> {
  const asked = apps.get(slug) ?? find(() => octokit.rest.apps.getBySlug({ app_slug: slug })).then((app) => app?.id);
  apps.set(slug, asked);
  asked.catch(() => apps.delete(slug));
  return asked;
}

/** What guards a branch, as far as a merge of ours has to know it. */
interface BranchProtection extends MergeWays {
  readonly isProtected: boolean;
  readonly checks: readonly WantedCheck[];
}

/**
 * The branch's own protection and every ruleset that applies to it. Both can be read without administration permission,
 * and GitHub enforces the sum. An older GitHub Enterprise Server has no rulesets and answers 404.
 */
export async function branchProtection(client: GitHubClient, branch: string): Promise<BranchProtection> {
  const { octokit, repository, read, find } = client;
  const [about, rules = []] = await Promise.all([
    read(() => octokit.rest.repos.getBranch({ ...repository, branch })),
    find(() => octokit.rest.repos.getBranchRules({ ...repository, branch, per_page: 100 })),
  ]);
  const required = about.protection?.required_status_checks as OwnChecks | undefined;
  const own = required?.checks ?? (required?.contexts ?? []).map((context) => ({ context, app_id: null }));
  const ruled = rules.flatMap((rule) =>
    rule.type === "required_status_checks" ? (rule.parameters?.required_status_checks ?? []) : [],
  );
  const wanted = [
    ...own.map(({ context, app_id }) => wantedOf(context, app_id)),
    ...ruled.map(({ context, integration_id }) => wantedOf(context, integration_id)),
  ];
  const ways = { mergeMethods: methodsOf(rules), mergeQueue: rules.some((rule) => rule.type === "merge_queue") };
  client.mergeWays.set(branch, { ...ways, at: Date.now() });
  return { isProtected: about.protected || rules.length > 0, checks: withoutRepeats(wanted), ...ways };
}

const seenMs = 60_000;

/**
 * By which ways a branch takes a merge, as the last look saw it. It only chooses what is tried: GitHub holds a merge
 * against the rules of its own moment, and says no to a way that was closed meanwhile.
 */
export async function mergeWaysOf(client: GitHubClient, branch: string): Promise<MergeWays> {
  const seen = client.mergeWays.get(branch);
  return seen !== undefined && Date.now() - seen.at < seenMs ? seen : branchProtection(client, branch);
}

type Rule = Awaited<ReturnType<GitHubClient["octokit"]["rest"]["repos"]["getBranchRules"]>>["data"][number];

/** Each ruleset may narrow the methods; a linear history takes no merge commits. */
function methodsOf(rules: readonly Rule[]): readonly MergeMethod[] | undefined {
  const lists = rules.flatMap((rule): (readonly MergeMethod[])[] => {
    if (rule.type === "required_linear_history") return [["squash", "rebase"]];
    const allowed = rule.type === "pull_request" ? rule.parameters?.allowed_merge_methods : undefined;
    return allowed === undefined ? [] : [allowed];
  });
  return lists.length === 0 ? undefined : mergeMethods.filter((method) => lists.every((list) => list.includes(method)));
}

interface OwnChecks {
  readonly checks?: readonly ProtectionCheck[];
  /** All that an older server tells. */
  readonly contexts?: readonly string[];
}

interface ProtectionCheck {
  readonly context: string;
  readonly app_id?: number | null;
}

// -1 stands for "any App".
function wantedOf(name: string, app: number | null | undefined): WantedCheck {
  return { name, app: app != null && app > 0 ? app : undefined };
}

/** One that names its App says more than the same one that does not. */
function withoutRepeats(wanted: readonly WantedCheck[]): WantedCheck[] {
  return wanted.filter(({ name, app }, index) => {
    const same = (other: WantedCheck) => other.name === name && other.app === app;
    if (wanted.findIndex(same) !== index) return false;
    return app !== undefined || !wanted.some((other) => other.name === name && other.app !== undefined);
  });
}

/** The id of our own verdict on this effect at this commit, not of one of the same name by another App. */
export async function ownCheck(client: GitHubClient, draft: ProposalDraft, sha: string): Promise<number | undefined> {
  const query = { ...client.repository, ref: sha, check_name: checkName, app_id: client.appId };
  const { check_runs } = await client.read(() => client.octokit.rest.checks.listForRef(query));
  return check_runs.find((run) => run.external_id === draft.effect && run.conclusion === draft.check.conclusion)?.id;
}

/** Our Check Run: its title is the decision, and it leads to where more is to be seen. The answer is its id. */
export async function writeCheck(
  client: GitHubClient,
  draft: ProposalDraft,
  { pull, sha }: { readonly pull: number; readonly sha: string },
): Promise<number> {
  const { conclusion, details } = draft.check;
  const [title, summary] = [visible(draft.check.title), visible(draft.check.summary)];
  const run = { name: checkName, head_sha: sha, status: "completed" as const, conclusion, external_id: draft.effect };
  const more = details === undefined ? {} : { details_url: details };
  const request = { ...client.repository, ...run, ...more, output: { title, summary } };
  const make = () =>
    client.write("create check run", { pull, incident: draft.incident, conclusion }, () =>
      client.octokit.rest.checks.create(request),
    );
  return (await client.doubts.once(`the check of ${sha.slice(0, 7)} on ${draft.effect}`, make)).id;
}

/** It says what became of the proposal: a title that waits for an approval would stay untrue for ever. */
export async function settleCheck(
  client: GitHubClient,
  { checkRun }: Pick<Proposal, "checkRun">,
  { title, ...detail }: { readonly title: string; readonly pull: number; readonly incident: string | undefined },
): Promise<void> {
  if (checkRun === undefined) return;
  const { id: check_run_id, summary } = checkRun;
  const output = { title: visible(title), summary: visible(summary) };
  await client.write("update check run", detail, () =>
    client.octokit.rest.checks.update({ ...client.repository, check_run_id, output }),
  );
}
