import { listen } from "../../src/adapters/http/listener.ts";
import { connectTo } from "../../src/adapters/postgres/query.ts";
import { openStore, type Store } from "../../src/adapters/postgres/store.ts";
import { evidenceOf } from "../../src/domain/evidence/evidence.ts";
import { auditHash } from "../../src/domain/records/audit.ts";
import { capsuleOf, renderCapsule } from "../../src/domain/records/capsule.ts";
import { pageRoutes } from "../../src/server/pages/routes.ts";
import { anIncident } from "../builders.ts";
import { temporaryPostgres } from "../temporary-postgres.ts";

/**
 * The pages over many incidents, on the server: first page, a deep page, a search, one incident with its evidence.
 * `npm run -s bench:pages -- [INCIDENTS] [REQUESTS]`; exit code 1 above a bar.
 */
const [incidents = 10_000, requests = 200] = process.argv.slice(2).map(Number);
const bars = { firstP95Ms: 50, firstKb: 100, incidentP50Ms: 100 };
const postgres = await temporaryPostgres("bench-pages");
const store = await openStore(postgres.url);
try {
  const uid = await filled(store, postgres.url);
  const server = await listen(pageRoutes(store), { host: "127.0.0.1", port: 0 });
  const at = `http://127.0.0.1:${server.port}`;
  const deep = await deepPage(at);
  const first = await measured(`${at}/`);
  const results = {
    incidents,
    first,
    deep: await measured(at + deep),
    filtered: await measured(`${at}/?state=refused&since=7d`),
    search: await measured(`${at}/?text=web-77`),
    incident: await measured(`${at}/incidents/${uid}`),
    auditFirstMs: await timed(`${at}/audit`),
    audit: await measured(`${at}/audit`),
  };
  await server.close();
  const held = first.p95Ms < bars.firstP95Ms && first.kb < bars.firstKb && results.incident.p50Ms < bars.incidentP50Ms;
  console.log(JSON.stringify({ ...results, bars, held }));
  process.exitCode = held ? 0 : 1;
} finally {
  await store.close();
  await postgres.close();
}

/** Incidents of three months, three of them open; answers the uid of one with evidence, timeline and audit rows. */
async function filled(into: Store, url: string): Promise<string> {
  const model = anIncident();
  await into.recordIncident(model);
  await into.recordPull(1, model.uid);
  const points = Array.from({ length: 120 }, (_, index) => [index * 15, 100 + (index % 7)] as const);
  const when = { from: model.startedAt, to: model.startedAt };
  const evidence = Array.from({ length: 25 }, (_, index) =>
    evidenceOf(`E${index + 1}`, {
      ...{
        source: "prometheus",
        key: index === 0 ? "alert-metric" : "requests",
        title: "rate",
        query: "sum(rate(x[5m]))",
      },
      ...when,
      finding: { kind: "series", unit: "ms", series: [{ labels: {}, points }], notes: [] },
    }),
  );
  await into.saveCapsule(model.uid, renderCapsule(capsuleOf(model, evidence, { at: when.to, versions: {} })));
  for (let index = 0; index < 40; index += 1)
    await into.recordEvent(model.uid, "collect", `line ${index} of the incident`);
  for (let index = 0; index < 20; index += 1)
    await into.audit({
      incident: model.uid,
      actor: "rectify",
      action: "comment",
      detail: { body: "text ".repeat(50) },
    });
  const database = connectTo(url);
  await database.query(
    `insert into incident (uid, workload, workflow, document, cluster, opened_at, started_at, ended_at, ending, because, story)
      select gen_random_uuid()::text, 'shop/Deployment/web-' || i, 'w' || i,
        jsonb_set(document, '{alert,name}', to_jsonb('Alert' || i % 20)), cluster,
        now() - i * interval '13 minutes', now(),
        case when i > 3 then now() - i * interval '12 minutes' end,
        case when i > 3 then (array['recovered', 'refused', 'no-change', 'declined'])[1 + i % 4] end,
        case when i > 3 then repeat('the reason of it ', 6) end,
        case when i > 3 then jsonb_build_object('ending', 'recovered', 'because', repeat('x', 4000)) end
      from incident, generate_series(1, $2::int) i where uid = $1`,
    [model.uid, incidents - 1],
  );
  await fillAudit(database);
  await database.query("analyze");
  await database.close();
  return model.uid;
}

/** Thirteen rows of the chain for each incident, as many as a workflow of the lab writes. */
async function fillAudit(database: ReturnType<typeof connectTo>): Promise<void> {
  const { rows } = await database.query("select hash from audit order by id desc limit 1");
  let previous = String(rows[0]?.hash ?? "");
  const entry = { incident: "filler", actor: "rectify", action: "comment", detail: { body: "text ".repeat(50) } };
  const at = new Date().toISOString();
  for (let batch = 0; batch < incidents; batch += 1_000) {
    const filled = Array.from({ length: 13 * Math.min(1_000, incidents - batch) }, (_, place) => {
      const row = { place, at, ...entry, previous, hash: auditHash(previous, { at, ...entry }) };
      previous = row.hash;
      return row;
    });
    await database.query(
      `insert into audit (at, incident, actor, action, detail, previous, hash)
        select at, incident, actor, action, detail, previous, hash
        from json_to_recordset($1::json)
          as row(place int, at timestamptz, incident text, actor text, action text, detail json, previous text, hash text)
        order by place`,
      [JSON.stringify(filled)],
    );
  }
}

async function timed(address: string): Promise<number> {
  const begun = performance.now();
  await (await fetch(address)).text();
  return Math.round(performance.now() - begun);
}

/** The address of the tenth page, as the links lead there. */
async function deepPage(at: string): Promise<string> {
  let path = "/";
  for (let page = 0; page < 10; page += 1) {
    const text = await (await fetch(at + path)).text();
    path = (/rel="next" href="([^"]+)"/.exec(text)?.[1] ?? "/").replaceAll("&amp;", "&");
  }
  return path;
}

async function measured(address: string) {
  const times: number[] = [];
  let size = 0;
  for (let index = 0; index < requests + 5; index += 1) {
    const begun = performance.now();
    const text = await (await fetch(address)).text();
    // The first few warm up what stays warm in a running server.
    if (index >= 5) times.push(performance.now() - begun);
    size = Buffer.byteLength(text);
  }
  times.sort((a, b) => a - b);
  const share = (part: number) => Number((times[Math.floor(times.length * part)] ?? 0).toFixed(1));
  return { p50Ms: share(0.5), p95Ms: share(0.95), kb: Number((size / 1024).toFixed(1)) };
}
