/** Where people find what Rectify reads, as far as they told it. */
export interface Links {
  /** The repository on the web, without a slash at the end. */
  readonly repository?: string | undefined;
  /** Grafana, with data sources whose uid is `prometheus` and `loki`. */
  readonly grafana?: string | undefined;
  /** Prometheus as people reach it. */
  readonly prometheus?: string | undefined;
}

/** The window of a query, RFC 3339. */
interface Window {
  readonly from: string;
  readonly to: string;
}

/** A pull request on the web. */
export function pullLink({ repository }: Links, number: number): string | undefined {
  return repository && `${repository}/pull/${number}`;
}

/** A commit on the web. */
export function commitLink({ repository }: Links, sha: string): string | undefined {
  return repository && /^[0-9a-f]{7,40}$/.test(sha) ? `${repository}/commit/${sha}` : undefined;
}

/** A file at a commit, on the web; with a line where it is known. */
export function fileLink({ repository }: Links, sha: string, file: string, line?: number): string | undefined {
  if (repository === undefined || !/^[0-9a-f]{7,40}$/.test(sha)) return undefined;
  const path = file.split("/").map(encodeURIComponent).join("/");
  return `${repository}/blob/${sha}/${path}${line === undefined ? "" : `#L${line}`}`;
}

/** Where a query of Prometheus or Loki can be repeated, by the name of the place. */
export function queryLinks(
  links: Links,
  source: string,
  query: string,
  window: Window,
): readonly (readonly [string, string])[] {
  const { grafana, prometheus } = links;
  if (source !== "prometheus" && source !== "loki") return [];
  // A request of its API, or a question in words, is no query that could be repeated there.
  if (/^(?:GET|POST) /.test(query) || (source === "loki" && !query.includes("{"))) return [];
  return [
    ...(source === "prometheus" && prometheus !== undefined
      ? ([["Prometheus", prometheusAddress(prometheus, query, window)]] as const)
      : []),
    ...(grafana === undefined ? [] : ([["Grafana", exploreAddress(grafana, source, query, window)]] as const)),
  ];
}

function prometheusAddress(base: string, query: string, { from, to }: Window): string {
  const seconds = Math.max(60, Math.round((Date.parse(to) - Date.parse(from)) / 1000));
  const asked = new URLSearchParams({
    "g0.expr": query,
    "g0.tab": "0",
    "g0.range_input": `${seconds}s`,
    "g0.end_input": to.replace("T", " ").slice(0, 19),
  });
  return `${base}/graph?${asked}`;
}

/** https://grafana.com/docs/grafana/latest/explore/: the state of Explore is in its address. */
function exploreAddress(base: string, source: string, query: string, { from, to }: Window): string {
  const pane = {
    datasource: source,
    queries: [{ refId: "A", expr: query, datasource: { type: source, uid: source } }],
    range: { from: String(Date.parse(from)), to: String(Date.parse(to)) },
  };
  return `${base}/explore?${new URLSearchParams({ schemaVersion: "1", panes: JSON.stringify({ a: pane }) })}`;
}
