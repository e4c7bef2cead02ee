/** The tables as release 0.1.0 made them. It may have made them already: each statement finds what is there. */
export const baseline = `
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
`;
