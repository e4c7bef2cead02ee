import type { GitHubClient } from "./github.ts";
import type { IssueName, OwnIssue } from "../../domain/proposal/dashboard.ts";
import type { GitHost } from "../../ports/github.ts";
import { Shut } from "../../ports/errors.ts";
import { statusOf } from "./pace.ts";

/** The open issues, and pull requests, that fit, newest first. */
export function openIssues(
  { octokit, repository, readAll }: GitHubClient,
  fitting: { readonly labels?: string; readonly creator?: string },
) {
  const query = { ...repository, ...fitting, state: "open" as const };
  return readAll((at) => octokit.rest.issues.listForRepo({ ...query, ...at }));
}

/** What the issue said when we saw it last; where there is none, what it would have said. */
interface Written {
  readonly body: string;
  /** False where there is no issue. */
  readonly there: boolean;
  /** On this process's own clock. */
  readonly at: number;
}

// Another process may have kept the issue meanwhile, and people edit it.
const longestBelief = 5 * 60_000;

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
  let written: Written | undefined;
  let told: string | undefined;
  const keep = async ({ title, label, body }: IssueName & { readonly body: string }, mayOpen: boolean) => {
    const known = written !== undefined && performance.now() - written.at < longestBelief ? written : undefined;
    const isDone = known?.there === true ? known.body === body : !mayOpen;
    if (known !== undefined && isDone) return;
    const there = await find({ title, label });
    if (there === undefined && mayOpen) {
      const request = { ...repository, title, body, labels: [label] };
      const make = () => client.write("open issue", { title }, () => octokit.rest.issues.create(request));
      await client.doubts.once(`the issue ${title}`, make);
    } else if (there !== undefined && there.body !== body) {
      const request = { ...repository, issue_number: there.number, body };
      await client.write("update issue", { issue: there.number }, () => octokit.rest.issues.update(request));
    }
    written = { body, there: there !== undefined || mayOpen, at: performance.now() };
  };
  return {
    openIssuesWithLabel: async (label) => (await openIssues(client, { labels: label })).map((issue) => issue.number),
    ownIssue: async (name) => {
      if (!(await client.about()).hasIssues) return undefined;
      const there = await find(name);
      // People edit it too: what they left there is to be written over.
      written = there && { body: there.body, there: true, at: performance.now() };
      return there;
    },
    keepIssue: async (issue, mayOpen) => {
      const { hasIssues, unfit } = await client.about();
      const because = unfit ?? (hasIssues ? await withoutRight(() => keep(issue, mayOpen)) : issuesOff);
      const isNew = because !== told;
      told = because;
      // The issue of before is shown to nobody; should it come back, it is to be looked at anew.
      if (because !== undefined) written = undefined;
      return isNew ? because : undefined;
    },
  };
}

/** Why the App may not do it; undefined = it is done. People take permissions away at any time. */
async function withoutRight(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof Shut) return `the dashboard is not written: ${error.message}`;
    if (statusOf(error) !== 403 || !(error instanceof Error)) throw error;
    return `there is no dashboard: ${error.message}`;
  }
}

const issuesOff =
  "issues are switched off in the repository, so that there is no dashboard: switch them on in its settings (Features)";
