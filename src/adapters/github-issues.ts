import type { GitHubClient } from "./github.ts";
import type { GitHost } from "../ports.ts";

/** The issues of the code host port. */
export function issuesOf(client: GitHubClient): Pick<GitHost, "openIssuesWithLabel" | "keepIssue"> {
  const { octokit, repository } = client;
  const openOnes = (labels: string, creator?: string) => {
    const query = { ...repository, labels, state: "open" as const, ...(creator === undefined ? {} : { creator }) };
    return client.readAll((at) => octokit.rest.issues.listForRepo({ ...query, ...at }));
  };
  // Only saves looks: after a restart the issue is found again by its author, label and title.
  let written = "";
  return {
    openIssuesWithLabel: async (label) => (await openOnes(label)).map((issue) => issue.number),
    keepIssue: async ({ title, label, body }, mayOpen) => {
      if (body === written) return;
      const own = (await openOnes(label, client.login)).filter((issue) => !issue.pull_request && issue.title === title);
      // The oldest one stays the one, should two processes have opened it at the same moment.
      const there = own.at(-1);
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
