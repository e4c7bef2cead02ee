import { admitComment, type Admission } from "../../domain/guardrails/approval.ts";
import { parseCommands } from "../../domain/guardrails/command.ts";
import { type Listed, type OpenRequest, type OwnIssue, readTicked } from "../../domain/proposal/dashboard.ts";
import type { Guardrails } from "../../domain/guardrails/guardrails.ts";
import { bodyHashOf } from "../../domain/guardrails/commenter.ts";
import type { Ports } from "../../ports/ports.ts";
import { acknowledge, authorize } from "../decide/authorize.ts";
import type { ProposalQueue } from "../../ports/records.ts";

/** The dashboard issue as it stands, and what waits on it. */
interface Board {
  readonly issue: OwnIssue;
  readonly listed: readonly Listed[];
  readonly guardrails: Guardrails;
}

type Asked = Pick<Ports, "people" | "github" | "records" | "telemetry" | "clock"> & { readonly queue: ProposalQueue };

// So long GitHub may take to tell who ticked a box.
const longestDoubtMs = 2 * 60_000;

/**
 * Judges who asked to open a waiting proposal now, by a comment on the dashboard issue or by a box in it. GitHub's API
 * does not say who edited an issue; only the delivery that told of the edit does. A box without one counts for nothing,
 * which is said. Returns the boxes that may still be explained. Doing it twice is safe.
 */
export async function runOpenRequests(board: Board, ports: Asked): Promise<ReadonlySet<string>> {
  await takeComments(board, ports);
  const doubtful = await doubtfulBoxes(board, ports);
  let answered = false;
  for (const request of await ports.queue.unjudged()) {
    const admission = await judge(request, board, ports);
    await ports.queue.judge(request.proof, admission.kind === "heard" ? undefined : admission.because);
    answered = (await answer(request, { admission, answered }, ports)) || answered;
  }
  return doubtful;
}

async function takeComments({ issue }: Board, { people, queue, clock }: Asked): Promise<void> {
  for (const comment of await people.commentsOn(issue)) {
    const admitted = admitComment({ comment, bodyHash: bodyHashOf(comment.body), now: clock.now() });
    if (admitted.kind !== "heard") continue;
    for (const command of parseCommands(comment.body)) {
      if (command.kind !== "open") continue;
      const { incident } = command;
      const proof = `comment ${comment.id} ${incident}`;
      await queue.request([{ incident, by: comment.author, byPerson: true, issue: issue.number, proof }]);
    }
  }
}

/** Ticked boxes of which no delivery told, as long as one may come; after that it is on record that nobody knows. */
async function doubtfulBoxes({ issue, listed }: Board, { queue, clock }: Asked): Promise<ReadonlySet<string>> {
  const told = new Set((await queue.unjudged()).map((request) => request.incident));
  const ticked = new Set(readTicked(issue.body));
  const doubtful = listed.filter(
    ({ candidate, refused = [] }) =>
      ticked.has(candidate.incident) && !told.has(candidate.incident) && refused.length === 0,
  );
  const incidents = doubtful.map(({ candidate }) => candidate.incident);
  if (clock.now().getTime() - Date.parse(issue.updatedAt) < longestDoubtMs) return new Set(incidents);
  for (const incident of incidents) {
    const proof = `box ${incident} ${issue.updatedAt}`;
    await queue.request([{ incident, by: "", byPerson: false, issue: issue.number, proof }]);
  }
  return new Set();
}

/** A box that nobody is known to have ticked, an App, another issue: these are told apart before anybody is asked. */
async function judge(request: OpenRequest, board: Board, ports: Asked): Promise<Admission> {
  const { incident, by, proof } = request;
  const refused = (because: string): Admission => ({ kind: "refused", because });
  if (by === "") return refused("GitHub did not tell who ticked the box: tick it again, or write /open as a comment");
  if (!request.byPerson) return { kind: "ignored", because: `${by} is not a person` };
  if (request.issue !== board.issue.number) return { kind: "ignored", because: "this is not the dashboard issue" };
  const waits = board.listed.some(({ candidate }) => candidate.incident === incident);
  const place = { kind: "dashboard", issue: request.issue } as const;
  const refusal = await authorize("open", { by, incident, proof, guardrails: board.guardrails }, place, ports);
  if (refusal !== undefined) return refused(`${by}: ${refusal}`);
  return waits ? { kind: "heard" } : refused("it does not wait any more");
}

/** A reaction to a comment: of refused ones only the first in a round gets one. */
async function answer(
  { incident, by, proof }: OpenRequest,
  { admission, answered }: { readonly admission: Admission; readonly answered: boolean },
  { people, telemetry }: Asked,
): Promise<boolean> {
  const heard = admission.kind === "heard";
  const outcome = heard ? "it passes the caps" : admission.because;
  telemetry.log(incident, "propose", `${by || "somebody"} asks to open it now: ${outcome}`);
  const comment = /^comment (\d+)/.exec(proof)?.[1];
  if (comment === undefined || (!heard && answered)) return false;
  await acknowledge(Number(comment), { allowed: heard, incident }, { people });
  return !heard;
}
