import { mergePull } from "./api/merging.ts";
import type { Routes } from "./http.ts";
import { ok } from "./http.ts";
import { announce } from "./api/issues.ts";
import type { Account, IssueRecord, ForgeState } from "./world.ts";

/** The part of GitHub that only GraphQL has: the merge queue of main. */
export function queueRoutes(world: ForgeState): Routes {
  return {
    "POST /graphql": ({ body }) => {
      const text = String(body.query ?? "");
      const variables = (body.variables ?? {}) as Readonly<Record<string, unknown>>;
      try {
        return ok({ data: answerTo(world, text, variables) });
      } catch (error) {
        if (!(error instanceof QueueRefusal)) throw error;
        return ok({ data: null, errors: [{ type: "UNPROCESSABLE", message: error.message }] });
      }
    },
  };
}

class QueueRefusal extends Error {}

function answerTo(world: ForgeState, text: string, variables: Readonly<Record<string, unknown>>): object {
  if (text.includes("enqueuePullRequest")) return enqueue(world, String(variables.id), String(variables.head));
  if (text.includes("dequeuePullRequest")) return dequeue(world, String(variables.id));
  if (text.includes("mergeQueue(branch")) {
    const there = world.settings.mergeQueue !== undefined && variables.base === "main";
    return { repository: { mergeQueue: there ? { id: "MQ_1" } : null } };
  }
  const issue = world.issues.get(Number(variables.number));
  if (!issue?.pull) throw new QueueRefusal("Could not resolve to a PullRequest");
  const nodes = world.removals
    .filter((removal) => removal.issue === issue.number)
    .map(({ reason, at }) => ({ reason, createdAt: at }));
  const pullRequest = { id: nodeId(issue), mergeQueueEntry: entryOf(world, issue), timelineItems: { nodes } };
  return { repository: { pullRequest } };
}

function nodeId(issue: IssueRecord): string {
  return `PR_${issue.pull?.id}`;
}

function entryOf(world: ForgeState, { number }: IssueRecord) {
  const at = world.queue.findIndex((entry) => entry.issue === number);
  return at < 0 ? null : { position: at + 1, state: world.queue[at]?.state };
}

function issueOf(world: ForgeState, id: string): IssueRecord {
  const issue = [...world.issues.values()].find((one) => one.pull && nodeId(one) === id);
  if (!issue) throw new QueueRefusal(`Could not resolve to a node with the global id of '${id}'`);
  return issue;
}

function enqueue(world: ForgeState, id: string, head: string): object {
  const issue = issueOf(world, id);
  if (issue.pull?.headSha !== head) throw new QueueRefusal("Expected head sha did not match current head.");
  if (issue.state !== "open") throw new QueueRefusal("Pull request is closed");
  if (entryOf(world, issue)) throw new QueueRefusal("Pull request is already in the queue");
  world.queue.push({ issue: issue.number, state: "AWAITING_CHECKS" });
  announce(world, issue, "enqueued", world.bot);
  return { enqueuePullRequest: { mergeQueueEntry: entryOf(world, issue) } };
}

function dequeue(world: ForgeState, id: string): object {
  const issue = issueOf(world, id);
  remove(world, issue, { reason: "MANUAL", by: world.bot });
  return { dequeuePullRequest: { mergeQueueEntry: null } };
}

function remove(
  world: ForgeState,
  issue: IssueRecord,
  { reason, by }: { readonly reason: string; readonly by: Account },
) {
  const at = world.queue.findIndex((entry) => entry.issue === issue.number);
  if (at < 0) throw new QueueRefusal("Pull request is not in the queue");
  world.queue.splice(at, 1);
  world.removals.push({ issue: issue.number, reason, at: world.now() });
  announce(world, issue, "dequeued", by);
}

/** The group of a queued pull request has run: it is merged, or taken out. */
export async function finishQueued(
  world: ForgeState,
  number: number,
  outcome: "merged" | "FAILED_CHECKS",
): Promise<void> {
  const issue = world.issues.get(number);
  const by: Account = { id: 0, login: "github-merge-queue[bot]", type: "Bot" };
  if (!issue?.pull || !entryOf(world, issue)) throw new Error(`#${number} is not in the merge queue`);
  if (outcome !== "merged") return remove(world, issue, { reason: outcome, by });
  world.queue.splice(
    world.queue.findIndex((entry) => entry.issue === number),
    1,
  );
  const request = {
    by,
    sha: undefined,
    method: "squash" as const,
    title: undefined,
    message: undefined,
    byQueue: true,
  };
  await mergePull(world, issue, issue.pull, request);
}
