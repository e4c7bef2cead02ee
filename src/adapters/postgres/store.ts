import type { Ending, Incident } from "../../domain/incident/incident.ts";
import type { OutcomeOnRecord } from "../../domain/proposal/outcome.ts";
import type { EndedIncident } from "../../ports/records.ts";
import { workloadKey } from "../../domain/kubernetes/workload.ts";
import { alerts } from "./incidents/alerts.ts";
import { costStore } from "./incidents/costs.ts";
import { mergedChanges, leaseStore } from "./changes/leases.ts";
import { readable, readDocument, storedIncident, storedOutcome, type Unreadable } from "./documents.ts";
import { executors } from "./executors.ts";
import { githubPace } from "./github-pace.ts";
import { heartbeat } from "./heartbeat.ts";
import { isTakenOver, reexaminations } from "./incidents/reexaminations.ts";
import { incidentList } from "./incidents/list.ts";
import { inbox } from "./incidents/inbox.ts";
import { audit, lineage } from "./incidents/lineage.ts";
import { withdrawalRecord } from "./changes/withdrawals.ts";
import { pendingFiles } from "./incidents/pending.ts";
import { ownChanges } from "./changes/merges.ts";
import { proposalQueue } from "./incidents/queue.ts";
import { lastModes } from "./changes/last-modes.ts";
import { looks } from "./changes/looks.ts";
import { migrate } from "./schema/migrations.ts";
import { connectTo, type Query, type Row, storedJson } from "./query.ts";
import { unplacedAlerts } from "./incidents/unplaced.ts";
import { shadowVerdicts } from "./incidents/verdicts.ts";
import { retention } from "./retention.ts";
import { rollbackStore } from "./changes/rollbacks.ts";
import { watchtowerRecord } from "./changes/watchtower.ts";

/** One incident as the pages show it. */
export interface IncidentRecord {
  readonly incident: Incident;
  readonly openedAt: string;
  readonly endedAt: string | undefined;
  readonly ending: Ending | undefined;
  readonly because: string | undefined;
  readonly outcome: OutcomeOnRecord | undefined;
}

/** An incident without an ending. */
export interface OpenIncident {
  readonly incident: Incident;
  readonly workflow: string;
  /** The engine is known to have its workflow. */
  readonly started: boolean;
}

export type Store = Awaited<ReturnType<typeof openStore>>;

/**
 * Our tables next to the engine's: inbox, incidents, alerts, audit. `unreadable` hears of rows that a list leaves out.
 * Throws `Unavailable` when Postgres is away.
 */
export async function openStore(url: string, unreadable: Unreadable = () => undefined) {
  const database = connectTo(url);
  const { query, close } = database;
  await migrate(database).catch(async (error) => {
    await close();
    throw error;
  });
  return {
    ...inbox(query),
    ...incidents(query, unreadable),
    ...alerts(query, unreadable),
    ...reexaminations(query, unreadable),
    ...records(query, unreadable),
    ...audit(query),
    ...lineage(query),
    ...proposalQueue(query, unreadable),
    ...watchtowerRecord(query),
    ...leaseStore(query, unreadable),
    ...mergedChanges(query, unreadable),
    ...rollbackStore(query, unreadable),
    ...withdrawalRecord(query),
    ...pendingFiles(query),
    ...costStore(query),
    ...heartbeat(query),
    ...unplacedAlerts(query),
    ...incidentList(query),
    ...shadowVerdicts(query),
    ...executors(database),
    ...githubPace(query),
    ...looks(query),
    ...lastModes(query),
    ...retention(query),
    close,
  };
}

function incidents(query: Query, unreadable: Unreadable) {
  return {
    /** The open incidents of these workloads (`namespace/Kind/name`). */
    async openIncidents(cluster: string, workloads: readonly string[]): Promise<OpenIncident[]> {
      const text = `select document, version, workflow, started_at is not null as started from incident
        where cluster = $1 and workload = any($2) and ended_at is null`;
      const { rows } = await query(text, [cluster, workloads]);
      return readable(rows, openIncidentIn, unreadable);
    },
    async openIncidentOf(workload: string, cluster: string): Promise<OpenIncident | undefined> {
      const text = `select document, version, workflow, started_at is not null as started from incident
        where cluster = $2 and workload = $1 and ended_at is null`;
      const { rows } = await query(text, [workload, cluster]);
      return rows[0] && openIncidentIn(rows[0]);
    },
    async markStarted(uid: string) {
      await query("update incident set started_at = now() where uid = $1 and started_at is null", [uid]);
    },
    /** Those whose workflow should have been started by then and was not. */
    async unstarted(before: Date): Promise<OpenIncident[]> {
      const text = `select document, version, workflow, false as started from incident
        where ended_at is null and started_at is null and opened_at < $1 order by opened_at limit 500`;
      return readable((await query(text, [before])).rows, openIncidentIn, unreadable);
    },
    /** Records the incident; false when it exists already or the workload has another one open. */
    async recordIncident(incident: Incident): Promise<boolean> {
      const text = `insert into incident (uid, workload, workflow, document, cluster) values ($1, $2, $1, $3, $4)
        on conflict do nothing`;
      const { uid, workload, cluster } = incident;
      const answer = await query(text, [uid, workloadKey(workload), storedJson(incident), cluster]);
      return answer.rowCount === 1;
    },
    async endIncident(uid: string, { ending, because, outcome, depends }: EndedIncident) {
      const text = `update incident set ended_at = now(), ending = $2, because = $3, story = $4, depends = $5
        where uid = $1 and ended_at is null`;
      const hung = depends === undefined ? null : storedJson(depends);
      await query(text, [uid, ending, because, storedJson(outcome), hung]);
    },
    /** Incidents without an ending, whose workflows must be alive or be told why not. */
    async unfinished(): Promise<{ incident: Incident; workflow: string }[]> {
      const { rows } = await query(
        "select document, version, workflow from incident where ended_at is null order by opened_at",
      );
      return readable(rows, (row) => ({ incident: incidentIn(row), workflow: row.workflow }), unreadable);
    },
    async moveToWorkflow(uid: string, workflow: string) {
      await query("update incident set workflow = $2 where uid = $1", [uid, workflow]);
    },
  };
}

// More do not help on a dashboard: `rectify deliveries` lists them all.
const shownDeliveries = 10;

function records(query: Query, unreadable: Unreadable) {
  const { parkedDeliveries } = inbox(query);
  const { waitsOf } = reexaminations(query, unreadable);
  return {
    async parkedSince(since: Date): Promise<string[]> {
      const text = `select uid, workload, ending, because from incident i where ending in ('parked', 'escalated', 'not-synced') and ended_at > $1
        and not ${isTakenOver}
        order by ended_at desc`;
      const { rows } = await query(text, [since]);
      const deliveries = await parkedDeliveries(shownDeliveries);
      return [
        ...rows.map(({ uid, workload, ending, because }) => {
          const state = ending === "parked" ? "nobody is at work on" : "a person is needed for";
          return `${state} ${workload} (${uid}): ${because}`;
        }),
        ...(await waitsOf()),
        ...deliveries.map(({ id, kind, event, because }) => {
          const what = kind === "github" ? `GitHub's ${event}` : "alerts";
          return `delivery ${id} (${what}) is parked: ${because}; try it again with: rectify deliveries replay ${id}`;
        }),
      ];
    },
    async lastPullOf(incident: string): Promise<number | undefined> {
      const { rows } = await query("select max(number) as number from pull_request where incident = $1", [incident]);
      return rows[0]?.number ?? undefined;
    },
    async recordPull(number: number, incident: string) {
      await query("insert into pull_request (number, incident) values ($1, $2) on conflict (number) do nothing", [
        number,
        incident,
      ]);
    },
    ...ownChanges(query),
    async incidentOfPull(number: number): Promise<Incident | undefined> {
      const text = `select i.document, i.version from pull_request p
        join incident i on i.uid = p.incident where p.number = $1`;
      const { rows } = await query(text, [number]);
      return rows[0] && incidentIn(rows[0]);
    },
    async workflowOfPull(number: number): Promise<string | undefined> {
      const text = "select i.workflow from pull_request p join incident i on i.uid = p.incident where p.number = $1";
      const { rows } = await query(text, [number]);
      return rows[0]?.workflow;
    },
    async incidents(limit: number): Promise<IncidentRecord[]> {
      const { rows } = await query("select * from incident order by opened_at desc limit $1", [limit]);
      return readable(rows, recordOf, unreadable);
    },
    async incident(uid: string): Promise<IncidentRecord | undefined> {
      const { rows } = await query("select * from incident where uid = $1", [uid]);
      return rows[0] && recordOf(rows[0]);
    },
  };
}

function openIncidentIn(row: Row): OpenIncident {
  return { incident: incidentIn(row), workflow: row.workflow, started: row.started };
}

function recordOf(row: Row): IncidentRecord {
  return {
    incident: incidentIn(row),
    openedAt: row.opened_at.toISOString(),
    endedAt: row.ended_at?.toISOString(),
    ending: row.ending ?? undefined,
    because: row.because ?? undefined,
    outcome: row.story === null ? undefined : readDocument(storedOutcome, row.story, row.version),
  };
}

function incidentIn({ document, version }: Row): Incident {
  return readDocument(storedIncident, document, version);
}
