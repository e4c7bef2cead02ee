import type { ProposalDraft } from "../../domain/proposal/pull-request.ts";
import type { GitHubClient } from "./github.ts";
import { statusOf } from "./pace.ts";

/** Asks who wrote the commit that is taken back for a review. Whoever cannot be asked (a bot, nobody) is not. */
export async function askAuthor(
  client: GitHubClient,
  draft: ProposalDraft,
  pull: { readonly number: number },
): Promise<void> {
  const ref = draft.takesBack ?? "";
  const commit = await client.find(() => client.octokit.rest.repos.getCommit({ ...client.repository, ref }));
  const login = commit?.author?.login;
  if (login === undefined || login === client.login) return;
  const request = { ...client.repository, pull_number: pull.number, reviewers: [login] };
  await client
    .write("request a review", { ...request, incident: draft.incident }, () =>
      client.octokit.rest.pulls.requestReviewers(request),
    )
    .catch((error: unknown) => {
      if (![404, 422].includes(statusOf(error) ?? 0)) throw error;
    });
}
