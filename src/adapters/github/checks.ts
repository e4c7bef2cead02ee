import type { RequiredCheck } from "../../domain/guardrails/required-check.ts";
import type { GitHubClient } from "./github.ts";

/** A check that the branch asks for; without `app` anyone may report it. */
export interface WantedCheck {
  readonly name: string;
  readonly app: number | undefined;
}

/** Checks that the branch asks for, as they stand on this commit. Passed only when the expected App said success. */
export async function requiredChecks(client: GitHubClient, branch: string, sha: string): Promise<RequiredCheck[]> {
  const { octokit, repository } = client;
  const { checks } = await branchProtection(client, branch);
  if (checks.length === 0) return [];
  const query = { ...repository, ref: sha, filter: "latest" as const };
  const reported = await client.readAll(async (at) => {
    const { data } = await octokit.rest.checks.listForRef({ ...query, ...at });
    return { data: data.check_runs };
  });
  return checks.map(({ name, app }) => {
    const runs = reported.filter((run) => run.name === name);
    const saidBy = (id: number) => checkState(runs.filter((run) => run.app?.id === id));
    if (app !== undefined) return { name, state: saidBy(app) };
    const apps = [...new Set(runs.flatMap((run) => run.app?.id ?? []))];
    return { name, state: "pending", byApp: apps.map((id) => ({ app: id, state: saidBy(id) })) };
  });
}

/**
 * What guards a branch: its own protection and every ruleset that applies to it. Both can be read without administration
 * rights, and GitHub enforces the sum. An older GitHub Enterprise Server has no rulesets and answers 404.
 */
export async function branchProtection(
  { octokit, repository, read, find }: GitHubClient,
  branch: string,
): Promise<{ readonly isProtected: boolean; readonly checks: readonly WantedCheck[] }> {
  const [about, rules = []] = await Promise.all([
    read(() => octokit.rest.repos.getBranch({ ...repository, branch })),
    find(() => octokit.rest.repos.getBranchRules({ ...repository, branch, per_page: 100 })),
  ]);
  const own = (about.protection?.required_status_checks as { checks?: ProtectionCheck[] } | undefined)?.checks ?? [];
  const ruled = rules.flatMap((rule) =>
    rule.type === "required_status_checks" ? (rule.parameters?.required_status_checks ?? []) : [],
  );
  const wanted = [
    ...own.map(({ context, app_id }) => wantedOf(context, app_id)),
    ...ruled.map(({ context, integration_id }) => wantedOf(context, integration_id)),
  ];
  return { isProtected: about.protected || rules.length > 0, checks: withoutRepeats(wanted) };
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

/** A check that is missing, restarted, neutral or skipped has not passed. */
function checkState(runs: readonly { status: string; conclusion: string | null }[]): RequiredCheck["state"] {
  if (runs.length === 0 || runs.some((run) => run.status !== "completed")) return "pending";
  return runs.every((run) => run.conclusion === "success") ? "passed" : "failed";
}
