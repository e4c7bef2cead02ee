import type { GitHubClient } from "./github.ts";
import type { IssueName, OwnIssue } from "../../domain/proposal/dashboard.ts";
import type { GitHost } from "../../ports/github.ts";

/** The open issues, and pull requests, that fit, newest first. */
export function openIssues(
  { octokit, repository, readAll }: GitHubClient,
  fitting: { readonly labels?: string; readonly creator?: string },
) {
  const query = { ...repository, ...fitting, state: "open" as const };
  return readAll((at) => octokit.rest.issues.listForRepo({ ...query, ...at }));
}

/** The issues of the code host port. */
export function issuesOf(client: GitHubClient): Pick<GitHost, "openIssuesWithLabel" | "ownIssue" | "keepIssue"> {
  const { octokit, repository } = client;
  const find = async ({ title, label }: IssueName): Promise<OwnIssue | undefined> => {
    const own = (await openIssues(client, { labels: label, creator: client.login })).filter(
      (issue) => !issue.pull_request && issue.title === title,
    );
    // The oldest one stays the one, should two processes have opened it at the same moment.
    const there = own.at(-1);
    return there && { number: there.number, body: there.body ?? "", updatedAt: there.updated_at };
  };
  // Only saves looks: after a restart the issue is found again by its author, label and title.
  let written = "";
  return {
    openIssuesWithLabel: async (label) => (await openIssues(client, { labels: label })).map((issue) => issue.number),
    ownIssue: async (name) => {
      const there = await find(name);
      // People edit it too: what they left there is to be written over.
      written = there?.body ?? "";
      return there;
    },
    keepIssue: async ({ title, label, body }, mayOpen) => {
      if (body === written) return;
      const there = await find({ title, label });
      if (there === undefined && !mayOpen) return;
      if (there === undefined) {
        const request = { ...repository, title, body, labels: [label] };
        await client.write("open issue", { title }, () => octokit.rest.issues.create(request));
      } else if (there.body !== body) {
        const request = { ...repository, issue_number: there.number, body };
        await client.write("update issue", { issue: there.number }, () => octokit.rest.issues.update(request));
      }
      written = body;
    },
  };
}
