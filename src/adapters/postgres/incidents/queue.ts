import { oneAtATime } from "../../http/one-at-a-time.ts";
import {
  type Admitted,
  admitCandidates,
  type Candidate,
  type CapLimits,
  capUse,
  type Crowd,
} from "../../../domain/proposal/caps.ts";
import { workloadKey } from "../../../domain/kubernetes/workload.ts";
import type { ProposalQueue } from "../../../ports/records.ts";
import { readable, readDocument, storedCandidate, type Unreadable } from "../documents.ts";
import { type Query, storedJson } from "../query.ts";
import { openRequests, refusalsOf, requestedOf } from "./requests.ts";

/** The queue of proposals, shared by all replicas: what is opened is decided by one of them at a time. */
export function proposalQueue(query: Query, unreadable: Unreadable): { readonly queue: ProposalQueue } {
  const crowd = sharedLook((now: Date) => lookAt({ query, unreadable }, now));
  const ask: ProposalQueue["ask"] = async (candidate, limits, now) => {
    const text = "insert into queue (incident, candidate) values ($1, $2) on conflict (incident) do nothing";
    await query(text, [candidate.incident, storedJson(candidate)]);
    for (;;) {
      const turn = slotAnswerOf(await crowd(now), candidate.incident, await crowdLimits(query, limits), now);
      if (turn.kind === "listed" || turn.opened) return turn.kind === "listed" ? turn : { kind: "open" };
      // Another one may have opened since our look: then the version is not the one that we saw.
      const take = `with turn as (update queue_turn set version = version + 1 where version = $2 returning 1)
        update queue set opened_at = $3 where incident = $1 and exists (select 1 from turn)`;
      if ((await query(take, [candidate.incident, turn.version, now])).rowCount === 1) return { kind: "open" };
    }
  };
  const leave = async (incident: string) => {
    await query("update queue set closed_at = now() where incident = $1 and closed_at is null", [incident]);
  };
  const overview: ProposalQueue["overview"] = async (limits, now) => {
    const rows = await queued({ query, unreadable }, now);
    const open = rows.flatMap(({ candidate, openedAt, closed, pull }) =>
      openedAt === undefined || closed || pull === undefined
        ? []
        : [{ pull, workload: candidate.workload, summary: candidate.summary }],
    );
    const admitted = admittedOf(rows, await crowdLimits(query, limits), now);
    const { listed } = admitted;
    const refusals = await refusalsOf(
      query,
      listed.map((item) => item.candidate.incident),
    );
    return {
      open,
      ready: admitted.open,
      used: capUse(crowdOf(rows, now)),
      listed: listed.map((item) => ({ ...item, refused: refusals.get(item.candidate.incident) ?? [] })),
    };
  };
  return { queue: { ask, leave, overview, ...openRequests(query) } };
}

type SlotAnswer =
  | { readonly kind: "listed"; readonly because: string }
  | { readonly kind: "open"; readonly opened: boolean; readonly version: string };

interface Reading {
  readonly query: Query;
  readonly unreadable: Unreadable;
}

interface Look {
  readonly version: string;
  readonly rows: readonly Row[];
}

async function lookAt(reading: Reading, now: Date): Promise<Look> {
  // The version first: what changes after it is noticed when a turn is taken.
  const version: string = (await reading.query("select version from queue_turn")).rows[0]?.version ?? "0";
  return { version, rows: await queued(reading, now) };
}

/**
 * One look at a time: who asks while one is under way shares the next one with all who wait. Hundreds wait in a storm, and
 * each would read all of them.
 */
function sharedLook<Subject, Seen>(look: (subject: Subject) => Promise<Seen>): (subject: Subject) => Promise<Seen> {
  const inTurn = oneAtATime();
  let next: Promise<Seen> | undefined;
  return (subject) => {
    next ??= inTurn(() => {
      next = undefined;
      return look(subject);
    });
    return next;
  };
}

function slotAnswerOf({ version, rows }: Look, incident: string, limits: Crowding, now: Date): SlotAnswer {
  if (rows.find((row) => row.incident === incident)?.openedAt !== undefined) {
    return { kind: "open", opened: true, version };
  }
  const admitted = admittedOf(rows, limits, now);
  if (admitted.open.some((candidate) => candidate.incident === incident))
    return { kind: "open", opened: false, version };
  const because = admitted.listed.find((item) => item.candidate.incident === incident)?.because;
  return { kind: "listed", because: because ?? "it left the queue" };
}

interface Row {
  readonly incident: string;
  readonly candidate: Candidate;
  readonly openedAt: string | undefined;
  readonly closed: boolean;
  readonly pull: number | undefined;
  /** When a change of ours to its workload was merged last. */
  readonly changedAt: string | undefined;
}

/** What asked for a turn and has not left, and what was opened within the hour. */
async function queued({ query, unreadable }: Reading, now: Date): Promise<Row[]> {
  // An incident that ended left the queue, however its workflow stopped.
  const { rows } = await query(
    `select q.incident, q.candidate, q.version, q.opened_at,
      (select max(p.number) from pull_request p where p.incident = split_part(q.incident, '/', 1)) as pull,
      q.closed_at is not null or exists (select 1 from incident i where i.uid = q.incident and i.ending is not null) as closed,
      (select max(m.merged_at) from merged_change m where m.workload = concat_ws('/', q.candidate #>> '{workload,namespace}',
        q.candidate #>> '{workload,kind}', q.candidate #>> '{workload,name}')) as changed_at
    from queue q where q.closed_at is null or q.opened_at > $1::timestamptz - interval '1 hour'`,
    [now],
  );
  const read = ({ incident, candidate, version, opened_at, pull, closed, changed_at }: (typeof rows)[number]): Row => ({
    ...{ incident, candidate: readDocument(storedCandidate, candidate, version), closed, pull: pull ?? undefined },
    openedAt: (opened_at as Date | null)?.toISOString(),
    changedAt: (changed_at as Date | null)?.toISOString(),
  });
  return readable(rows, read, unreadable);
}

type Crowding = CapLimits & { readonly ticked: readonly string[] };

async function crowdLimits(query: Query, limits: CapLimits): Promise<Crowding> {
  return { ...limits, ticked: await requestedOf(query, limits) };
}

function admittedOf(rows: readonly Row[], { ticked, ...limits }: Crowding, now: Date): Admitted {
  const waiting = rows.filter((row) => !row.closed && row.openedAt === undefined).map((row) => row.candidate);
  return admitCandidates(waiting, { ...crowdOf(rows, now), ticked }, limits);
}

function crowdOf(rows: readonly Row[], now: Date): Omit<Crowd, "ticked"> {
  const open = rows.filter((row) => !row.closed && row.openedAt !== undefined).map((row) => row.candidate.workload);
  const openedAt = rows.flatMap((row) => row.openedAt ?? []);
  const changed = Object.fromEntries(
    rows.flatMap(({ candidate, changedAt }) => (changedAt ? [[workloadKey(candidate.workload), changedAt]] : [])),
  );
  return { open, openedAt, changed, now };
}
