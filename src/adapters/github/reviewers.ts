import type { ProposalDraft } from "../../domain/proposal/pull-request.ts";
import type { GitHubClient } from "./github.ts";
import { statusOf } from "./pace.ts";

/** Asks who wrote the commit that is reverted for a review. Whoever cannot be asked (a bot, nobody) is not. */
async function askAuthor(client: GitHubClient, draft: ProposalDraft, pull: { readonly number: number }): Promise<void> {
  const ref = draft.takesBack ?? "";
  const commit = await client.find(() => client.octokit.rest.repos.getCommit({ ...client.repository, ref }));
  const login = commit?.author?.login;
  if (login === undefined || login === client.login) return;
  await request(client, draft, { ...client.repository, pull_number: pull.number, reviewers: [login] });
}

/** Asks those whom the guardrails name, each alone: one who cannot be asked keeps nobody else from it. */
export async function askPeople(
  client: GitHubClient,
  draft: ProposalDraft,
  pull: { readonly number: number },
): Promise<void> {
  if (draft.takesBack !== undefined) await askAuthor(client, draft, pull);
  const { reviewers = [], teams = [], assignees = [] } = draft.asks ?? {};
  const place = { ...client.repository, pull_number: pull.number };
  for (const login of reviewers) await request(client, draft, { ...place, reviewers: [login] });
  for (const team of teams) await request(client, draft, { ...place, team_reviewers: [team.replace(/^.*\//, "")] });
  if (assignees.length === 0) return;
  const assigned = { ...client.repository, issue_number: pull.number, assignees: [...assignees] };
  await tolerated(
    client.write("assign", { ...assigned, incident: draft.incident }, () =>
      client.octokit.rest.issues.addAssignees(assigned),
    ),
  );
}

type ReviewRequest = Parameters<GitHubClient["octokit"]["rest"]["pulls"]["requestReviewers"]>[0] & object;

async function request(client: GitHubClient, draft: ProposalDraft, asked: ReviewRequest): Promise<void> {
  await tolerated(
    client.write("request a review", { ...asked, incident: draft.incident }, () =>
      client.octokit.rest.pulls.requestReviewers(asked),
    ),
  );
}

/** Somebody who left, a team that the App may not see: no reason to keep the proposal back. */
async function tolerated(asking: Promise<unknown>): Promise<void> {
  await asking.catch((error: unknown) => {
    if (![403, 404, 422].includes(statusOf(error) ?? 0)) throw error;
  });
}
