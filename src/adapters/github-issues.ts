import type { GitHubClient } from "./github.ts";
import type { IssueName, OwnIssue } from "../domain/dashboard.ts";
import type { GitHost } from "../ports.ts";

/** The issues of the code host port. */
export function issuesOf(client: GitHubClient): Pick<GitHost, "openIssuesWithLabel" | "ownIssue" | "keepIssue"> {
  const { octokit, repository } = client;
  const openOnes = (labels: string, creator?: string) => {
    const query = { ...repository, labels, state: "open" as const, ...(creator === undefined ? {} : { creator }) };
    return client.readAll((at) => octokit.rest.issues.listForRepo({ ...query, ...at }));
  };
  const find = async ({ title, label }: IssueName): Promise<OwnIssue | undefined> => {
    const own = (await openOnes(label, client.login)).filter((issue) => !issue.pull_request && issue.title === title);
    // The oldest one stays the one, should two processes have opened it at the same moment.
    const there = own.at(-1);
    return there && { number: there.number, body: there.body ?? "", updatedAt: there.updated_at };
  };
  // Only saves looks: after a restart the issue is found again by its author, label and title.
  let written = "";
  return {
    openIssuesWithLabel: async (label) => (await openOnes(label)).map((issue) => issue.number),
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
