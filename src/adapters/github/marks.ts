import type { GitHost } from "../../ports/github.ts";
import type { GitHubClient } from "./github.ts";
import { Shut } from "../../ports/errors.ts";
import { openIssues } from "./issues.ts";

/** A label that tells people of a state of ours, on everything of ours that is open. */
export function marksOf(client: GitHubClient): Pick<GitHost, "mark"> {
  const { octokit, repository, login } = client;
  const put = async (label: string) => {
    for (const issue of await openIssues(client, { creator: login })) {
      if (issue.labels.some((has) => (typeof has === "string" ? has : has.name) === label)) continue;
      const request = { ...repository, issue_number: issue.number, labels: [label] };
      await client.write("add labels", { pull: issue.number, labels: [label] }, () =>
        octokit.rest.issues.addLabels(request),
      );
    }
  };
  const takeOff = async (label: string) => {
    for (const issue of await openIssues(client, { creator: login, labels: label })) {
      const request = { ...repository, issue_number: issue.number, name: label };
      await client.write("remove label", { pull: issue.number, label }, () => octokit.rest.issues.removeLabel(request));
    }
  };
  // Only saves looks: a state that has been told is not told again before it changes.
  const told = new Map<string, boolean>();
  return {
    mark: async (label, on) => {
      if (told.get(label) === on || (await client.about()).unfit !== undefined) return;
      try {
        await (on ? put(label) : takeOff(label));
        told.set(label, on);
      } catch (error) {
        // Told as soon as it may be.
        if (!(error instanceof Shut)) throw error;
      }
    },
  };
}
