/**
 * The rows of the fault catalogue that tests elsewhere show, or that nobody runs, with the reason. A title is a part of
 * the test's own; where one is a loop over cases, the part before the case.
 */
export interface ShownElsewhere {
  readonly id: string;
  readonly what: string;
  readonly shown: readonly (readonly [file: string, title: string])[];
  /** What of the row nobody runs. */
  readonly cannot?: string;
}

const server = "test/server";
const github = "test/adapters/github/github.test.ts";
const collect = "test/flow/collect/collect.test.ts";
const ollama = "test/adapters/ollama/ollama.test.ts";
const memory = "test/adapters/memory/memory.test.ts";
const crash = "test/crash/crash.slow.test.ts";
const replicas = "test/crash/replicas.slow.test.ts";
const inbox = `${server}/inbox.test.ts`;
const intake = `${server}/intake.test.ts`;
const reexamine = `${server}/jobs/reexamine.test.ts`;
const poll = `${server}/intake/poll-alerts.test.ts`;
const decide = "test/flow/decide/decide.test.ts";

const row = (id: string, what: string, shown: ShownElsewhere["shown"], cannot?: string): ShownElsewhere => ({
  ...{ id, what, shown },
  ...(cannot === undefined ? {} : { cannot }),
});

/** In the order of the catalogue. */
export const shownElsewhere: readonly ShownElsewhere[] = [
  row(
    "A01",
    "killed right behind the acknowledgement",
    [["test/bench/replica-load.slow.test.ts", "A01 killed right behind its acknowledgement"]],
    "six processes and not a hundred: each takes seconds to start",
  ),
  row("A02", "Postgres down during a post", [
    ["test/adapters/telemetry/metrics.test.ts", "a database that takes no writes is down"],
    ["test/adapters/postgres/silent-server.test.ts", "have their answer: come back"],
  ]),
  row("A03", "inbox over its high water", [[inbox, "above its high water the inbox asks senders to come back"]]),
  row("A04", "the same payload from three peers", [
    [inbox, "the same alert from three peers is one incident"],
    ["test/adapters/postgres/store.test.ts", "the same alert from three peers is recorded once"],
  ]),
  row("A05", "firing, resolved, the same firing again", [
    ["test/adapters/postgres/store.test.ts", "the same alert from three peers is recorded once, and its end once"],
    [poll, "a firing copy that comes late opens nothing"],
    [poll, "while its incident goes on it fires again there"],
  ]),
  row("A06", "an end that is never sent", [[inbox, "a poll of Alertmanager finds a lost alert and a lost end"]]),
  row("A07", "a group that was cut off", [[inbox, "a group that Alertmanager cut off is asked for"]]),
  row("A08", "odd deliveries", [
    [inbox, "what cannot be read is kept and ignored"],
    [inbox, "resolved is not firing"],
  ]),
  row("A09", "bodies too large or too slow", [
    [inbox, "a body over the limit ends before its signature"],
    ["test/adapters/http/listener.test.ts", "five hundred odd packets leave both listeners standing"],
  ]),
  row("A10", "no or wrong credentials", [[inbox, "alerts need credentials, bearer or basic"]]),
  row("A11", "what Postgres cannot hold", [[intake, "is taken in with its neighbours"]]),
  row("A12", "labels that lead nowhere", [[intake, "an alert that leads nowhere is on record for people"]]),
  row("A13", "flapping", [
    [decide, "A13"],
    ["test/domain/gate/risk.test.ts", "A13"],
  ]),
  row("A14", "a group that grows", [[inbox, "a second alert of a workload joins its incident"]]),
  row("A15", "odd start times", [[intake, "is taken in with its neighbours"]]),
  row("G01", "signatures", [[inbox, "a webhook without a genuine signature is refused"]]),
  row("G02", "a weak webhook secret", [["test/cli.test.ts", "serve names every problem at once"]]),
  row("G03", "the same delivery twice", [[inbox, "one delivery id has one effect"]]),
  row("G04", "slow work behind a delivery", [[intake, "one that the process dies of is parked after its own deaths"]]),
  row(
    "G05",
    "events in another order",
    [[intake, "an end never goes before its beginning"]],
    "the 24 orders of four events are not run",
  ),
  row("G06", "half an hour without deliveries", [
    [`${server}/jobs/late-looks.test.ts`, "is found without a webhook, once"],
    [inbox, "a poll of Alertmanager finds a lost alert"],
  ]),
  row(
    "G07",
    "odd events, and a repository that goes",
    [[github, "a repository without the App is refused with the reason"]],
    "a rename in mid-incident is not run",
  ),
  row("G08", "huge bodies", [[inbox, "a body over the limit ends before its signature"]]),
  row("G09", "a repository outside of the list", [[inbox, "G09 an event of another repository"]]),
  row("R01", "killed everywhere", [
    [crash, "killed at every step boundary"],
    [crash, "killed inside every write to GitHub"],
  ]),
  row("R02", "GitHub dies behind the branch", [[github, "the next try completes it"]]),
  row("R03", "a comment that was made and answered with 502", [
    [github, "the next try completes it"],
    [github, "an answer that comes after the deadline is a lost answer"],
  ]),
  row("R04", "a revoked token", [
    [github, "a token that was revoked is renewed once"],
    [github, "where a new token is no better"],
  ]),
  row(
    "R05",
    "Postgres stops again and again",
    [
      [`${server}/executor.test.ts`, "while Postgres does not hear of it nothing begins"],
      [intake, "an inbox that cannot be read says so once"],
    ],
    "1,000 incidents through ten minutes of restarts are not run",
  ),
  row("R06", "an incident that ends the process", [
    ["test/flow/workflows/park.test.ts", "parks the incident, is told, and leaks no secret"],
    ["test/adapters/dbos/recoveries.test.ts", "who is in a step each time its process ends is given up"],
  ]),
  row(
    "R07",
    "a release with other steps",
    [[`${server}/executor.test.ts`, "abandoned is what no living process has, of this version alone"]],
    "50 in flight over a change of version are not run",
  ),
  row("R08", "two processes on one database", [
    [replicas, "when one is killed, the other ends its workflow"],
    [`${server}/executor.test.ts`, "two that find the same abandoned work hand it on once"],
  ]),
  row("R09", "SIGTERM under load", [
    [replicas, "a rolling update"],
    [`${server}/executor.test.ts`, "it leaves when what it has in hand has ended"],
  ]),
  row(
    "R10",
    "a database of an hour ago",
    [[github, "done twice is done once"]],
    "the restored database itself is not run",
  ),
  row("R11", "a step that never returns", [["test/adapters/dbos/stuck.test.ts", "R11 a step that never returns"]]),
  row("E01", "Prometheus says no", [
    [collect, "E01 answers 400"],
    ["test/adapters/monitoring/prometheus.test.ts", "E01:"],
  ]),
  row("E02", "empty, wrong and down", [[collect, "E02"]]),
  row("E03", "Loki's limits", [
    ["test/adapters/monitoring/loki.test.ts", "E03:"],
    ["test/adapters/monitoring/loki.test.ts", "a range that Loki may have narrowed is told"],
  ]),
  row("E04", "secrets in evidence", [
    ["test/injection/injection.test.ts", "E04"],
    ["test/domain/text/masked-first.test.ts", "before it disarms the rest"],
  ]),
  row("E05", "Kubernetes says no", [[collect, "E05"]]),
  row("E06", "a source that hangs", [[collect, "E06: a source that hangs"]]),
  row("E07", "the metric is back", [[collect, "E07"]]),
  row("E08", "100 MB of logs", [["test/adapters/monitoring/loki.test.ts", "an answer beyond the size cap is refused"]]),
  row("L01", "a model that never answers", [
    [ollama, "never answering: we hang up"],
    [ollama, "one drop at a time"],
  ]),
  row("L02", "busy, absent, refused", [
    [ollama, "after three failures nobody is asked"],
    [ollama, "nobody there"],
  ]),
  row("L03", "answers that are none", [[ollama, "a model that misbehaves (L01–L03)"]]),
  row("L04", "a prompt over the context", [
    [ollama, "a prompt over the context (L04)"],
    ["test/domain/llm/question.test.ts", "a question over its budget (L04)"],
  ]),
  row("L05", "slow, then fast", [["test/domain/guardrails/watchtower.test.ts", "L05 it ends by itself"]]),
  row("L06", "a model fully owned", [
    ["test/injection/injection.test.ts", "achieves nothing, whatever the model says"],
  ]),
  row("L07", "killed behind the answer", [[crash, "L07"]]),
  row("L08", "500 incidents", [[ollama, "500 at once all reach an end"]]),
  row("M01", "no FAISS", [[memory, "M01 without faiss-node"]]),
  row("M02", "a neighbour with orders", [["test/domain/records/precedent.test.ts", "M02"]]),
  row("M03", "another embedding", [[memory, "M03 another embedding model"]]),
  row("M04", "killed while saving", [[memory, "M04 what lies on the disk"]]),
  row("S01", "never applied", [["test/flow/sync.test.ts", "one that says no until the time is up"]]),
  row("S02", "applied and stuck", [], "the lab's scenario worse runs it (test/lab/scenarios/catalogue.slow.test.ts)"),
  row("S03", "resolved before the merge", [
    [decide, "a proposal whose alert resolved says when it closes"],
    [decide, "nothing merges while the alert is resolved"],
  ]),
  row(
    "S04",
    "Prometheus down while verifying",
    [[reexamine, "while a source is away it is asked"]],
    "the verification itself without Prometheus is not run",
  ),
  row("S05", "alerts that alternate", [
    ["test/domain/proposal/caps.test.ts", "S05"],
    ["test/domain/gate/repetition.test.ts", "the same at once"],
  ]),
  row(
    "S06",
    "changed by others meanwhile",
    [["test/flow/gate/gate.test.ts", "revert nothing that somebody changed since"]],
    "a change during the verification is not run",
  ),
  row("O01", "a secondary limit", [
    [github, "nothing leaves before the time is up"],
    ["test/adapters/github/pace.test.ts", "a limit that GitHub names is told to the others"],
  ]),
  row("O02", "the hour's limit over a restart", [
    ["test/adapters/postgres/github-pace.test.ts", "silence is heard by the other process"],
    ["test/adapters/github/pace.test.ts", "keeps this one from calling"],
  ]),
  row(
    "O03",
    "GitHub away for hours",
    [
      [intake, "is put off for hours, and never counts against itself"],
      ["test/adapters/dbos/patience.test.ts", "O03"],
    ],
    "200 incidents through three hours are not run",
  ),
  row(
    "O04",
    "a storm",
    [["test/adapters/postgres/incidents/queue.test.ts", "of forty that ask two replicas at once, five are opened"]],
    "the lab's scenario storm-small runs 40 workloads",
  ),
  row(
    "O05",
    "a herd after a restart",
    [["test/adapters/postgres/github-pace.test.ts", "whichever process asks"]],
    "1,000 pending incidents are not run",
  ),
  row("O06", "no place for logs", [["test/server/observability/faults.test.ts", "a fault of the log is counted"]]),
  row(
    "O07",
    "settings that are wrong",
    [["test/cli.test.ts", "serve names every problem at once"]],
    "settings are read at the start only: nothing is reloaded",
  ),
  row("O08", "10,000 names", [["test/adapters/telemetry/metrics.test.ts", "fewer than 2,000 series"]]),
];

/** Every id of these families in the catalogue. */
export const elsewhereIds: readonly string[] = (
  [
    ["A", 15],
    ["G", 9],
    ["R", 11],
    ["E", 8],
    ["L", 8],
    ["M", 4],
    ["S", 6],
    ["O", 8],
  ] as const
).flatMap(([letter, count]) =>
  Array.from({ length: count }, (_, index) => `${letter}${String(index + 1).padStart(2, "0")}`),
);
