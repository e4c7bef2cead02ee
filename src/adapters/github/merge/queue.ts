import type { MergeAnswer, Proposal } from "../../../domain/proposal/pull-request.ts";
import { leavingQueue } from "../../../ports/github.ts";
import type { GitHubClient } from "../github.ts";
import { statusOf } from "../pace.ts";

/** How a pull request stands with the merge queue of its base. */
interface QueueEntry {
  readonly position: number;
  /** As GitHub says it: QUEUED, AWAITING_CHECKS, MERGEABLE, UNMERGEABLE, LOCKED. */
  readonly state: string;
}

interface Place {
  readonly base: string;
  /** A ruleset asks for the queue; where the branch's own protection does, GitHub has to be asked. */
  readonly ruled: boolean;
}

// Nobody switches a queue on or off by the minute.
const rememberedMs = 10 * 60_000;

/** True when the branch is merged into by a queue. A server that knows none says no. */
export async function hasQueue(client: GitHubClient, { base, ruled }: Place): Promise<boolean> {
  if (ruled) return true;
  const known = client.queues.get(base);
  if (known && Date.now() - known.at < rememberedMs) return known.there;
  const question =
    "query($owner:String!,$repo:String!,$base:String!){repository(owner:$owner,name:$repo){mergeQueue(branch:$base){id}}}";
  const answer = await ask<{ repository: { mergeQueue: { id: string } | null } | null }>(client, question, { base });
  const there = answer?.repository?.mergeQueue != null;
  client.queues.set(base, { at: Date.now(), there });
  return there;
}

/** Where the pull request stands in the queue of its base; undefined = it is not in one. */
export async function queueEntry(
  client: GitHubClient,
  { number, ...place }: Place & { readonly number: number },
): Promise<QueueEntry | undefined> {
  return (await hasQueue(client, place)) ? (await standing(client, number))?.entry : undefined;
}

/** "in the merge queue at position 2 (awaiting checks)". */
export function renderEntry({ position, state }: QueueEntry): string {
  return `in the merge queue at position ${position} (${state.toLowerCase().replaceAll("_", " ")})`;
}

/** Puts it into the queue if the head is still ours, or says where it stands there. */
export async function enqueue(
  client: GitHubClient,
  proposal: Pick<Proposal, "number" | "headSha" | "effect"> & { readonly incident: string | undefined },
): Promise<MergeAnswer> {
  const { number, headSha, effect, incident } = proposal;
  const there = await standing(client, number);
  if (there === undefined)
    return { kind: "not-yet", because: "GitHub does not say how it stands with the merge queue" };
  if (there.entry) return { kind: "not-yet", because: `it is ${renderEntry(there.entry)}` };
  const rest = restAfter(there.removals);
  if (rest !== undefined) return { kind: "not-yet", because: rest };
  const mutation =
    "mutation($id:ID!,$head:GitObjectID!){enqueuePullRequest(input:{pullRequestId:$id,expectedHeadOid:$head}){mergeQueueEntry{position state}}}";
  const detail = { pull: number, incident, sha: headSha, effect };
  const put = () => graphql<Enqueued>(client, mutation, { id: there.id, head: headSha });
  try {
    const { enqueuePullRequest } = await client.write("enter merge queue", detail, put);
    const entry = enqueuePullRequest?.mergeQueueEntry;
    return { kind: "not-yet", because: entry ? `it is ${renderEntry(entry)}` : "it entered the merge queue" };
  } catch (error) {
    if (statusOf(error) !== 422 || !(error instanceof Error)) throw error;
    return {
      kind: /expected head|head.*(changed|modified)/i.test(error.message) ? "moved" : "not-yet",
      because: error.message,
    };
  }
}

interface Enqueued {
  readonly enqueuePullRequest: { readonly mergeQueueEntry: QueueEntry | null } | null;
}

/** Takes it out of the queue, if it is in one. */
export async function leaveQueue(
  client: GitHubClient,
  on: { readonly pull: number; readonly incident: string | undefined },
): Promise<void> {
  const there = await standing(client, on.pull);
  if (there?.entry === undefined) return;
  const mutation = "mutation($id:ID!){dequeuePullRequest(input:{id:$id}){mergeQueueEntry{position state}}}";
  await client.write(leavingQueue, on, () => graphql(client, mutation, { id: there.id }));
}

interface Standing {
  readonly id: string;
  readonly entry: QueueEntry | undefined;
  readonly removals: readonly Removal[];
}

interface Removal {
  readonly reason: string | null;
  readonly createdAt: string;
}

const standingQuestion = `query($owner:String!,$repo:String!,$number:Int!){repository(owner:$owner,name:$repo){pullRequest(number:$number){
id mergeQueueEntry{position state}
timelineItems(last:20,itemTypes:[REMOVED_FROM_MERGE_QUEUE_EVENT]){nodes{...on RemovedFromMergeQueueEvent{reason createdAt}}}}}}`;

interface StandingAnswer {
  readonly repository: {
    readonly pullRequest: {
      readonly id: string;
      readonly mergeQueueEntry: QueueEntry | null;
      readonly timelineItems: { readonly nodes: readonly Removal[] };
    } | null;
  } | null;
}

async function standing(client: GitHubClient, number: number): Promise<Standing | undefined> {
  const answer = await ask<StandingAnswer>(client, standingQuestion, { number });
  const pull = answer?.repository?.pullRequest;
  if (!pull) return undefined;
  return { id: pull.id, entry: pull.mergeQueueEntry ?? undefined, removals: pull.timelineItems.nodes };
}

const firstRestMs = 15 * 60_000;

/** What GitHub took out of the queue goes back later each time: a group that fails costs everybody a run. */
function restAfter(removals: readonly Removal[]): string | undefined {
  const last = removals.at(-1);
  if (last === undefined) return undefined;
  const until = Date.parse(last.createdAt) + firstRestMs * 2 ** (removals.length - 1);
  if (Date.now() >= until) return undefined;
  const why = last.reason === null ? "" : ` (${last.reason.toLowerCase().replaceAll("_", " ")})`;
  return `it was taken out of the merge queue${why} and goes back at ${new Date(until).toISOString().slice(0, 16)}Z`;
}

/** A question that an older server, or one without the right for us, does not answer is answered by nothing. */
async function ask<T>(
  client: GitHubClient,
  question: string,
  variables: Record<string, unknown>,
): Promise<T | undefined> {
  return client
    .read(() => graphql<T>(client, question, variables))
    .catch((error) => {
      if (statusOf(error) === undefined) throw error;
      return undefined;
    });
}

async function graphql<T>(
  { octokit, repository }: GitHubClient,
  text: string,
  variables: Record<string, unknown>,
): Promise<{ data: T }> {
  const place = text.includes("$owner") ? repository : {};
  return { data: await octokit.graphql<T>(text, { ...place, ...variables }) };
}
