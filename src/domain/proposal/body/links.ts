import type { Evidence } from "../../evidence/evidence.ts";
import type { Incident } from "../../incident/incident.ts";
import { masked } from "../../text/masking.ts";
import type { BodyLink } from "./proposal-body.ts";

/** Where people find what Rectify reads and shows, as far as the installation told. */
export interface PublicPlaces {
  readonly pages?: string | undefined;
  readonly prometheus?: string | undefined;
}

/**
 * The addresses that a proposal may show: those on hosts that the guardrails name, and no others, whoever wrote them
 * into an alert. What cannot be parsed, carries a user, or holds what looks like a secret is left out.
 */
export function allowedLinks(
  { incident, evidence }: { readonly incident: Incident; readonly evidence: readonly Evidence[] },
  { pages, prometheus }: PublicPlaces,
  hosts: readonly string[],
): BodyLink[] {
  const { annotations, generatorUrl } = incident.alert;
  const query = evidence.find(({ key }) => key === "alert-metric")?.query;
  const asked = new URLSearchParams({ "g0.expr": query ?? "", "g0.tab": "0", "g0.range_input": "1h" });
  const wanted = [
    ["incident", pages === undefined ? undefined : `${pages}/incidents/${incident.uid}`],
    ["metric", prometheus === undefined || query === undefined ? undefined : `${prometheus}/graph?${asked}`],
    ["dashboard", annotations.dashboard_url ?? annotations.dashboard],
    ["runbook", annotations.runbook_url ?? annotations.runbook],
    ["alert", generatorUrl],
  ] as const;
  return wanted.flatMap(([name, address]) => {
    const url = address === undefined ? undefined : addressOn(hosts, address);
    return url === undefined ? [] : [{ name, url }];
  });
}

function addressOn(hosts: readonly string[], address: string): string | undefined {
  if (!URL.canParse(address) || address.length > 2_000) return undefined;
  const { protocol, host, username, password, href } = new URL(address);
  if (!/^https?:$/.test(protocol) || username !== "" || password !== "") return undefined;
  if (!hosts.includes(host.toLowerCase()) || masked(href).masks > 0) return undefined;
  // Signs that end a Markdown link, or that GitHub acts on within one.
  return href.replace(
    /[()<>\\[\]`*_~|@'"]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
  );
}
