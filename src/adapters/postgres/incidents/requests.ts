import { ruleOf } from "../../../domain/guardrails/approval.ts";
import type { CapLimits } from "../../../domain/proposal/caps.ts";
import type { OpenRequest } from "../../../domain/proposal/dashboard.ts";
import type { ProposalQueue } from "../../../ports/records.ts";
import type { Query } from "../query.ts";

export function openRequests(query: Query): Pick<ProposalQueue, "request" | "unjudged" | "judge"> {
  return {
    request: async (requests) => {
      const text = `insert into open_request (proof, incident, login, by_person, issue) values ($1, $2, $3, $4, $5)
        on conflict (proof) do nothing`;
      for (const { proof, incident, by, byPerson, issue } of requests) {
        await query(text, [proof, incident, by, byPerson, issue]);
      }
    },
    unjudged: async () => {
      const { rows } = await query("select * from open_request where verdict is null order by at limit 100");
      return rows.map(
        (row): OpenRequest => ({
          ...{ incident: row.incident, by: row.login, byPerson: row.by_person, issue: row.issue, proof: row.proof },
        }),
      );
    },
    judge: async (proof, refusedBecause = "") => {
      await query("update open_request set verdict = $2 where proof = $1 and verdict is null", [proof, refusedBecause]);
    },
  };
}

/** Incidents that as many people asked for as the guardrails want. */
export async function requestedOf(query: Query, limits: CapLimits): Promise<readonly string[]> {
  const text = `select incident from open_request where verdict = ''
    group by incident having count(distinct lower(login)) >= $1`;
  const { count } = ruleOf("open", { approvers: limits.approvers ?? {} });
  return (await query(text, [count])).rows.map((row) => row.incident);
}

/** Why the latest requests for these incidents were refused, in the order of asking. */
export async function refusalsOf(
  query: Query,
  incidents: readonly string[],
): Promise<ReadonlyMap<string, readonly string[]>> {
  const text = `select incident, array_agg(verdict order by at) as verdicts from (
      select incident, verdict, min(at) as at from open_request
      where verdict <> '' and incident = any($1) group by incident, verdict) as told group by incident`;
  const { rows } = await query(text, [incidents]);
  return new Map(rows.map((row) => [row.incident as string, (row.verdicts as string[]).slice(-3)]));
}
