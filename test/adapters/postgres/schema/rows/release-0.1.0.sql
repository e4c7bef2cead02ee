create table if not exists inbox (
  id bigint generated always as identity primary key,
  kind text not null,
  delivery text unique,
  received_at timestamptz not null default now(),
  headers jsonb not null,
  body bytea not null,
  tries int not null default 0,
  outcome text);
create index if not exists inbox_waiting on inbox (id) where outcome is null;
create index if not exists inbox_received on inbox (received_at);
create table if not exists incident (
  uid text primary key,
  workload text not null,
  workflow text not null,
  document jsonb not null,
  opened_at timestamptz not null default now(),
  ended_at timestamptz,
  ending text,
  because text,
  story jsonb);
create unique index if not exists incident_open on incident (workload) where ended_at is null;
create table if not exists alert (
  fingerprint text not null,
  starts_at timestamptz not null,
  incident text not null references incident,
  status text not null,
  document jsonb not null,
  primary key (fingerprint, starts_at));
create table if not exists pull_request (
  number int primary key,
  incident text not null references incident,
  opened_at timestamptz not null default now());
create table if not exists audit (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  incident text not null,
  actor text not null,
  action text not null,
  detail json not null,
  previous text not null unique,
  hash text not null);
create table if not exists capsule (
  incident text primary key,
  document text not null);
create table if not exists event (
  id bigint generated always as identity primary key,
  at timestamptz not null default now(),
  incident text not null,
  verb text not null,
  text text not null);
create index if not exists event_incident on event (incident, id);
create table if not exists recovery (
  workflow text primary key,
  steps int not null,
  times int not null);
create table if not exists queue (
  incident text primary key,
  candidate jsonb not null,
  opened_at timestamptz,
  closed_at timestamptz);
create table if not exists queue_turn (one boolean primary key default true check (one), version bigint not null default 0);
insert into queue_turn default values on conflict do nothing;
create table if not exists open_request (
  proof text primary key,
  at timestamptz not null default now(),
  incident text not null,
  login text not null,
  by_person boolean not null,
  issue int not null,
  verdict text);
create index if not exists open_request_incident on open_request (incident);
create table if not exists watchtower (
  only_one boolean primary key default true check (only_one),
  state jsonb not null);
create table if not exists lease (
  incident text primary key,
  document jsonb not null,
  expires timestamptz not null,
  workflow text,
  ended_at timestamptz,
  because text);
create table if not exists merged_change (
  pull int primary key,
  incident text not null,
  workload text not null,
  namespace text not null,
  reserved jsonb,
  merged_at timestamptz not null,
  settled boolean not null default false);
create index if not exists merged_change_workload on merged_change (workload, merged_at);
create table if not exists rollback (
  pull int primary key,
  incident text not null,
  document jsonb not null,
  workflow text,
  ended_at timestamptz,
  because text);
create table if not exists pending_file (
  path text primary key,
  content text not null,
  incident text not null);
create table if not exists withdrawal (
  incident text primary key,
  kind text not null,
  by text not null,
  at timestamptz not null);
create table if not exists step_cost (
  incident text not null,
  step text not null,
  first_at timestamptz not null default now(),
  times int not null,
  duration_ms float8 not null,
  github_calls int not null,
  prompt_tokens int not null,
  answer_tokens int not null,
  primary key (incident, step));
create table if not exists exchange (
  id bigint generated always as identity primary key,
  incident text not null,
  document json not null);
create index if not exists exchange_incident on exchange (incident, id);
insert into inbox overriding system value select * from jsonb_populate_record(null::inbox, $row${"id": 1, "body": "\\x7b2276657273696f6e223a2234227d", "kind": "alerts", "tries": 1, "headers": {}, "outcome": null, "delivery": null, "received_at": "2026-11-28T15:06:51.333499+00:00"}$row$::jsonb);
insert into inbox overriding system value select * from jsonb_populate_record(null::inbox, $row${"id": 2, "body": "\\x7b7d", "kind": "github", "tries": 1, "headers": {"event": "issue_comment", "delivery": "d-1"}, "outcome": "parked: GitHub was away", "delivery": "d-1", "received_at": "2026-11-28T15:06:51.343769+00:00"}$row$::jsonb);
select setval(pg_get_serial_sequence('inbox', 'id'), (select coalesce(max(id), 1) from inbox));
insert into incident select * from jsonb_populate_record(null::incident, $row${"uid": "5878dae0-16cd-5fa7-95bc-afd7c39e7cfc", "story": null, "ending": null, "because": null, "document": {"uid": "5878dae0-16cd-5fa7-95bc-afd7c39e7cfc", "alert": {"name": "HighRequestLatency", "labels": {"severity": "critical", "alertname": "HighRequestLatency", "namespace": "shop-production", "deployment": "web"}, "status": "firing", "startsAt": "2026-11-24T05:00:00.000Z", "annotations": {"summary": "web answers slowly"}, "fingerprint": "f2", "generatorUrl": "http://prometheus/graph"}, "cluster": "test", "traceId": "5878dae016cd5fa795bcafd7c39e7cfc", "severity": "critical", "workload": {"kind": "Deployment", "name": "web", "namespace": "shop-production"}, "startedAt": "2026-11-24T05:00:00.000Z"}, "ended_at": null, "workflow": "5878dae0-16cd-5fa7-95bc-afd7c39e7cfc", "workload": "shop-production/Deployment/web", "opened_at": "2026-11-28T15:06:51.421031+00:00"}$row$::jsonb);
insert into incident select * from jsonb_populate_record(null::incident, $row${"uid": "6ae2f692-f019-5e8d-955a-aff3274d06fd", "story": {"entry": {"path": "apps", "tool": "flux"}, "effect": {"hash": "e", "proof": {"kind": "rendered", "with": "a test"}, "changes": [{"to": 4, "from": 2, "field": ["spec", "replicas"], "object": {"kind": "Deployment", "name": "web", "namespace": "shop-production", "apiVersion": "apps/v1"}}]}, "ending": "no-change", "because": "nothing stands out", "remediation": {"to": "4", "from": "2", "kind": "scale", "change": {"to": 4, "kind": "replicas"}, "sizing": [], "workload": {"kind": "Deployment", "name": "web", "namespace": "shop-production"}}}, "ending": "no-change", "because": "nothing stands out", "document": {"uid": "6ae2f692-f019-5e8d-955a-aff3274d06fd", "alert": {"name": "HighRequestLatency", "labels": {"severity": "critical", "alertname": "HighRequestLatency", "namespace": "shop-production", "deployment": "web"}, "status": "firing", "startsAt": "2026-11-24T02:00:00.000Z", "annotations": {"summary": "web answers slowly"}, "fingerprint": "f1", "generatorUrl": "http://prometheus/graph"}, "cluster": "test", "traceId": "6ae2f692f0195e8d955aaff3274d06fd", "severity": "critical", "workload": {"kind": "Deployment", "name": "web", "namespace": "shop-production"}, "startedAt": "2026-11-24T02:00:00.000Z"}, "ended_at": "2026-11-28T15:06:51.394951+00:00", "workflow": "6ae2f692-f019-5e8d-955a-aff3274d06fd", "workload": "shop-production/Deployment/web", "opened_at": "2026-11-28T15:06:51.356274+00:00"}$row$::jsonb);
insert into alert select * from jsonb_populate_record(null::alert, $row${"status": "firing", "document": {"name": "HighRequestLatency", "labels": {"severity": "critical", "alertname": "HighRequestLatency", "namespace": "shop-production", "deployment": "web"}, "status": "firing", "startsAt": "2026-11-24T02:00:00.000Z", "annotations": {"summary": "web answers slowly"}, "fingerprint": "f1", "generatorUrl": "http://prometheus/graph"}, "incident": "6ae2f692-f019-5e8d-955a-aff3274d06fd", "starts_at": "2026-11-24T02:00:00+00:00", "fingerprint": "f1"}$row$::jsonb);
insert into alert select * from jsonb_populate_record(null::alert, $row${"status": "firing", "document": {"name": "HighRequestLatency", "labels": {"severity": "critical", "alertname": "HighRequestLatency", "namespace": "shop-production", "deployment": "web"}, "status": "firing", "startsAt": "2026-11-24T05:00:00.000Z", "annotations": {"summary": "web answers slowly"}, "fingerprint": "f2", "generatorUrl": "http://prometheus/graph"}, "incident": "5878dae0-16cd-5fa7-95bc-afd7c39e7cfc", "starts_at": "2026-11-24T05:00:00+00:00", "fingerprint": "f2"}$row$::jsonb);
insert into pull_request select * from jsonb_populate_record(null::pull_request, $row${"number": 7, "incident": "6ae2f692-f019-5e8d-955a-aff3274d06fd", "opened_at": "2026-11-28T15:06:51.364539+00:00"}$row$::jsonb);
insert into audit overriding system value select * from jsonb_populate_record(null::audit, $row${"at": "2026-11-28T15:06:51.375+00:00", "id": 1, "hash": "505edb91612d9897c73e2778fd009fee64ed58a898dec763ab9165cced2274a3", "actor": "rectify", "action": "open", "detail": {"pull": 7}, "incident": "6ae2f692-f019-5e8d-955a-aff3274d06fd", "previous": ""}$row$::jsonb);
select setval(pg_get_serial_sequence('audit', 'id'), (select coalesce(max(id), 1) from audit));
insert into capsule select * from jsonb_populate_record(null::capsule, $row${"document": "{}", "incident": "6ae2f692-f019-5e8d-955a-aff3274d06fd"}$row$::jsonb);
insert into event overriding system value select * from jsonb_populate_record(null::event, $row${"at": "2026-11-28T15:06:51.371585+00:00", "id": 1, "text": "recovered: it is back", "verb": "learn", "incident": "6ae2f692-f019-5e8d-955a-aff3274d06fd"}$row$::jsonb);
select setval(pg_get_serial_sequence('event', 'id'), (select coalesce(max(id), 1) from event));
insert into recovery select * from jsonb_populate_record(null::recovery, $row${"steps": 3, "times": 1, "workflow": "5878dae0-16cd-5fa7-95bc-afd7c39e7cfc"}$row$::jsonb);
insert into queue select * from jsonb_populate_record(null::queue, $row${"incident": "6ae2f692-f019-5e8d-955a-aff3274d06fd", "candidate": {"alert": "HighRequestLatency", "summary": "scale", "incident": "6ae2f692-f019-5e8d-955a-aff3274d06fd", "severity": "critical", "workload": {"kind": "Deployment", "name": "web", "namespace": "shop-production"}, "startedAt": "2026-11-24T02:00:00.000Z"}, "closed_at": null, "opened_at": "2026-11-24T02:01:00+00:00"}$row$::jsonb);
insert into open_request select * from jsonb_populate_record(null::open_request, $row${"at": "2026-11-28T15:06:51.417044+00:00", "issue": 1, "login": "ann", "proof": "comment 17", "verdict": null, "incident": "6ae2f692-f019-5e8d-955a-aff3274d06fd", "by_person": true}$row$::jsonb);
insert into lease select * from jsonb_populate_record(null::lease, $row${"because": null, "expires": "2026-11-24T04:00:00+00:00", "document": {"pull": 7, "entry": {"path": "apps", "tool": "flux"}, "field": {"to": 4, "from": 2, "field": ["spec", "replicas"], "object": {"kind": "Deployment", "name": "web", "namespace": "shop-production", "apiVersion": "apps/v1"}}, "since": "2026-11-24T03:00:00.000Z", "because": "", "expires": "2026-11-24T04:00:00.000Z", "incident": {"uid": "6ae2f692-f019-5e8d-955a-aff3274d06fd", "alert": {"name": "HighRequestLatency", "labels": {"severity": "critical", "alertname": "HighRequestLatency", "namespace": "shop-production", "deployment": "web"}, "status": "firing", "startsAt": "2026-11-24T02:00:00.000Z", "annotations": {"summary": "web answers slowly"}, "fingerprint": "f1", "generatorUrl": "http://prometheus/graph"}, "cluster": "test", "traceId": "6ae2f692f0195e8d955aaff3274d06fd", "severity": "critical", "workload": {"kind": "Deployment", "name": "web", "namespace": "shop-production"}, "startedAt": "2026-11-24T02:00:00.000Z"}, "renewals": 0, "termSince": "2026-11-24T03:00:00.000Z", "latestPull": 7, "remediation": {"to": "4", "from": "2", "kind": "scale", "change": {"to": 4, "kind": "replicas"}, "sizing": [], "workload": {"kind": "Deployment", "name": "web", "namespace": "shop-production"}}}, "ended_at": null, "incident": "6ae2f692-f019-5e8d-955a-aff3274d06fd", "workflow": null}$row$::jsonb);
insert into merged_change select * from jsonb_populate_record(null::merged_change, $row${"pull": 7, "settled": false, "incident": "6ae2f692-f019-5e8d-955a-aff3274d06fd", "reserved": null, "workload": "shop-production/Deployment/web", "merged_at": "2026-11-24T02:05:00+00:00", "namespace": "shop-production"}$row$::jsonb);
insert into rollback select * from jsonb_populate_record(null::rollback, $row${"pull": 7, "because": null, "document": {"by": "ann", "pull": 7, "ended": "recovered: it is back", "effect": {"hash": "e", "proof": {"kind": "rendered", "with": "a test"}, "changes": [{"to": 4, "from": 2, "field": ["spec", "replicas"], "object": {"kind": "Deployment", "name": "web", "namespace": "shop-production", "apiVersion": "apps/v1"}}]}, "comment": 5, "incident": {"uid": "6ae2f692-f019-5e8d-955a-aff3274d06fd", "alert": {"name": "HighRequestLatency", "labels": {"severity": "critical", "alertname": "HighRequestLatency", "namespace": "shop-production", "deployment": "web"}, "status": "firing", "startsAt": "2026-11-24T02:00:00.000Z", "annotations": {"summary": "web answers slowly"}, "fingerprint": "f1", "generatorUrl": "http://prometheus/graph"}, "cluster": "test", "traceId": "6ae2f692f0195e8d955aaff3274d06fd", "severity": "critical", "workload": {"kind": "Deployment", "name": "web", "namespace": "shop-production"}, "startedAt": "2026-11-24T02:00:00.000Z"}, "latestPull": 7, "remediation": {"to": "4", "from": "2", "kind": "scale", "change": {"to": 4, "kind": "replicas"}, "sizing": [], "workload": {"kind": "Deployment", "name": "web", "namespace": "shop-production"}}}, "ended_at": null, "incident": "6ae2f692-f019-5e8d-955a-aff3274d06fd", "workflow": null}$row$::jsonb);
insert into pending_file select * from jsonb_populate_record(null::pending_file, $row${"path": "postmortems/a.md", "content": "text", "incident": "6ae2f692-f019-5e8d-955a-aff3274d06fd"}$row$::jsonb);
insert into withdrawal select * from jsonb_populate_record(null::withdrawal, $row${"at": "2026-11-24T04:00:00+00:00", "by": "ann", "kind": "disputed", "incident": "6ae2f692-f019-5e8d-955a-aff3274d06fd"}$row$::jsonb);
insert into step_cost select * from jsonb_populate_record(null::step_cost, $row${"step": "collect", "times": 1, "first_at": "2026-11-28T15:06:51.41203+00:00", "incident": "6ae2f692-f019-5e8d-955a-aff3274d06fd", "duration_ms": 5, "github_calls": 0, "answer_tokens": 0, "prompt_tokens": 0}$row$::jsonb);
insert into exchange overriding system value select * from jsonb_populate_record(null::exchange, $row${"id": 1, "document": {"model": "m", "answer": "a", "prompt": "p"}, "incident": "6ae2f692-f019-5e8d-955a-aff3274d06fd"}$row$::jsonb);
select setval(pg_get_serial_sequence('exchange', 'id'), (select coalesce(max(id), 1) from exchange));
