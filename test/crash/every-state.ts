import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import pg from "pg";
import type { Forge } from "../../src/lab/forge/forge.ts";
import { approve, passCi } from "../../src/lab/scenario.ts";
import { tenantFiles } from "../../src/lab/scenarios/storm.ts";
import { until } from "../../src/lab/start.ts";
import { ledgerBreaches } from "../faults/ledger.ts";
import { ledgerRowsOf } from "../faults/ledger-rows.ts";

/*
 * One workflow in each state in which a workflow can wait, run in the world of the real servers. Each
 * workload is called after where its workflow stands.
 */

const first = ["leased", "verifying", "syncing"] as const;
const second = ["refused", "checked", "asked"] as const;
const stands = [...first, ...second, "waiting", "examined"] as const;
type Stand = (typeof stands)[number];

export const everyStateFiles = tenantFiles(stands);

/** Three places: the second three take them when the first three are merged, and the seventh waits for one. */
export const everyStateGuardrails = {
  ...{ exemptSeverities: [], maxOpenPulls: 3, maxPullsPerHour: 100 },
  leases: { duration: "24h" },
};

/** Requests per second that one replica serves with ease, that keep it at work, that take two, and that nothing here can serve. */
const [quiet, usual, busy, flood] = [20, 60, 130, 2_000];

/** The world around, and what is held still in it. */
export interface Town {
  readonly forge: Forge;
  readonly databaseUrl: string;
  readonly model: ModelDoor;
  say(who: string, text: string): void;
  setLoad(workload: string, requestsPerSecond: number): void;
  /** The GitOps controller does nothing for as long. */
  suspendSync(on: boolean): void | Promise<void>;
  /** What all processes told so far. */
  told(): readonly { readonly incident?: string; readonly verb?: string; readonly text?: string }[];
}

/** Brings one workflow into each state; ends when all of them stand still there. */
export async function standInEveryState(town: Town): Promise<void> {
  const { forge, setLoad, suspendSync, model } = town;
  // Who comes from nothing is off by any measure, and would be named for the troubles of those whose load came later.
  for (const name of stands) setLoad(name, usual);
  for (const name of first) setLoad(name, busy);
  for (const name of ["leased", "verifying"] as const) await decideOn(town, await pullOf(town, name));
  for (const name of second) setLoad(name, busy);
  await isMerged(town, "verifying");
  setLoad("verifying", flood);
  await tells(town, "verifying", "sync", "");
  await until("the lease", async () => (await leaseOf(town))?.ended_at === null, patienceMs);
  setLoad("leased", quiet);
  await suspendSync(true);
  await decideOn(town, await pullOf(town, "syncing"));
  await isMerged(town, "syncing");
  await standOpen(town);
  setLoad("waiting", busy);
  await tells(town, "waiting", "propose", "waits: ");
  // Last: one question is asked at a time, and who comes behind it waits as well.
  model.hold();
  setLoad("examined", busy);
  await until("a question that waits", () => model.held() > 0, patienceMs);
  if (forge.pulls().length !== first.length + second.length) throw new Error("there is another pull request");
}

/** The three that are open: one that GitHub does not merge, one without its check, one without an approval. */
async function standOpen(town: Town): Promise<void> {
  const { forge } = town;
  const [refused, checked, asked] = await Promise.all(second.map((name) => pullOf(town, name)));
  let tries = 0;
  forge.faults = ({ method, path }) => {
    if (method !== "PUT" || !path.endsWith(`/pulls/${refused}/merge`)) return undefined;
    tries += 1;
    return { when: "before", answer: { status: 405, message: "Repository rule violations found" } };
  };
  await decideOn(town, refused ?? 0);
  await approve(town, checked ?? 0);
  await passCi(town, asked ?? 0);
  await until("a merge that is refused", () => tries > 0, patienceMs);
  const sticky = (pull: number | undefined) =>
    forge.comments(pull ?? 0).find(({ user }) => user?.type === "Bot")?.body ?? "";
  await until("the approval without its check", () => sticky(checked).includes("**Approved by"), patienceMs);
  await until("the one that nobody approved", () => sticky(asked).includes("**Waiting for**"), patienceMs);
}

/** Nothing is held any more, and people do what is left to them; ends when every workflow has, and the lease. */
export async function endEveryState(town: Town): Promise<void> {
  const { forge, setLoad, suspendSync } = town;
  forge.faults = undefined;
  const [refused = 0, checked = 0, asked = 0] = await Promise.all(second.map((name) => pullOf(town, name)));
  setLoad("verifying", busy);
  await suspendSync(false);
  // The news after which GitHub is asked again.
  await passCi(town, refused);
  await passCi(town, checked);
  await approve(town, asked);
  const decided = new Map(forge.pulls().map(({ number }) => [number, proposed(town, number)]));
  const isOver = async () => {
    for (const { number, state } of forge.pulls()) {
      // One that was planned anew, because what was merged before it is near, wants its approval again.
      const times = proposed(town, number);
      if (state !== "open" || times === (decided.get(number) ?? 0)) continue;
      decided.set(number, times);
      await decideOn(town, number);
    }
    await query(town, expired, [await uidOf(town, "leased")]);
    const open = await query(town, "select 1 from incident where ending is null");
    return open.length === 0 && (await leaseOf(town))?.ended_at !== null && forge.pulls().length === stands.length + 1;
  };
  await until("the end of every workflow", isOver, 4 * patienceMs, () => standingOf(town));
}

/** Which workflows did not end, what each told last, and how the pull requests stand. */
async function standingOf(town: Town): Promise<string> {
  const open = await query(town, "select uid, workload from incident where ending is null");
  const last = (uid: unknown) => {
    const lines = town.told().filter(({ incident }) => incident === uid);
    return lines.slice(-3).map(({ verb, text }) => `${verb} ${text}`);
  };
  const workflows = open.map(({ uid, workload }) => `${String(workload)} (${last(uid).join("; ")})`);
  const pulls = town.forge.pulls().map(({ number, state, merged }) => `#${number} ${merged ? "merged" : state}`);
  const lease = await leaseOf(town);
  const leased = `the lease has ${(lease?.ended_at ?? null) === null ? "not ended" : "ended"}`;
  return [...(workflows.length === 0 ? ["every workflow has ended"] : workflows), leased, pulls.join(", ")].join(" | ");
}

/** How often it was planned: each time is a commit of its own. */
function proposed({ told }: Town, number: number): number {
  return told().filter(({ verb, text }) => verb === "propose" && text?.startsWith(`#${number} `)).length;
}

/** A lease that was renewed with another reason is over again. */
const expired = `update lease set expires = now(),
    document = document || jsonb_build_object('expires', to_char(now() at time zone 'utc', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'))
  where incident = $1 and workflow is null and ended_at is null and expires > now()`;

/** What is lost or doubled; empty = each workflow ended as it should, with one of everything. */
export async function problemsOfEveryState(town: Town): Promise<readonly string[]> {
  const { forge } = town;
  const found: string[] = [];
  const expect = (what: string, seen: unknown, wanted: unknown) => {
    if (JSON.stringify(seen) !== JSON.stringify(wanted))
      found.push(`${what}: ${JSON.stringify(seen)}, not ${JSON.stringify(wanted)}`);
  };
  for (const name of stands) {
    const rows = await query(town, "select uid, ending from incident where workload like '%/' || $1", [name]);
    expect(
      `the endings of ${name}`,
      rows.map(({ ending }) => ending as unknown),
      ["recovered"],
    );
    const uid = String(rows[0]?.uid);
    const workflows =
      "select status from dbos.workflow_status where workflow_uuid = $1 or workflow_uuid like $1 || '/%'";
    // Where the alert went on firing after an ending that changed nothing it is examined again: a workflow of its own.
    const told = (await query(town, `${workflows} and name <> 'end-lease'`, [uid])).map(
      ({ status }) => status as unknown,
    );
    expect(`the workflows of ${name}`, told, told.length === 0 ? ["SUCCESS"] : told.map(() => "SUCCESS"));
    const numbers = await query(town, "select number from pull_request where incident = $1 order by number", [uid]);
    expect(`the pull requests of ${name}`, numbers.length, name === "leased" ? 2 : 1);
    for (const { number } of numbers as { number: number }[]) {
      const pull = await forge.pull(number);
      const own = forge.comments(number).filter(({ user }) => user?.type === "Bot").length;
      const checks = forge.checks(pull.head.sha).filter((check) => check.name === "rectify").length;
      expect(
        `merged, commits, own comments and checks of #${number} (${name})`,
        [pull.merged, pull.commits, own, checks],
        [true, proposed(town, number), 1, 1],
      );
    }
  }
  const parked = "select count(*)::int as parked from inbox where outcome like 'parked%'";
  expect("deliveries that are parked", (await query(town, parked))[0]?.parked, 0);
  return [...found, ...(await breachesThatStay(town))];
}

/** Alertmanager and GitHub go on sending: what is on its way in one look is no breach, what is lost stays lost. */
async function breachesThatStay({ databaseUrl, forge }: Town): Promise<readonly string[]> {
  let breaches: readonly string[] = [];
  const look = async () => {
    breaches = ledgerBreaches(await ledgerRowsOf(databaseUrl), forge);
    return breaches.length === 0;
  };
  return until("a ledger without a breach", look, patienceMs).then(
    () => [],
    () => breaches,
  );
}

const patienceMs = 180_000;

async function decideOn(town: Town, pull: number): Promise<void> {
  await passCi(town, pull);
  await approve(town, pull);
}

/** The first pull request of the workload, once it has its comment. */
async function pullOf(town: Town, name: Stand): Promise<number> {
  const text = `select min(p.number) as number from pull_request p join incident i on i.uid = p.incident
    where i.workload like '%/' || $1`;
  const number = async () => (await query(town, text, [name]))[0]?.number as number | undefined;
  const found = await until(`the pull request of ${name}`, async () => (await number()) ?? undefined, patienceMs);
  await until(`the comment of ${name}`, () => town.forge.comments(found).length > 0, patienceMs);
  return found;
}

async function uidOf(town: Town, name: Stand): Promise<string | undefined> {
  const rows = await query(town, "select uid from incident where workload like '%/' || $1", [name]);
  return rows[0]?.uid as string | undefined;
}

async function isMerged(town: Town, name: Stand): Promise<void> {
  const number = await pullOf(town, name);
  const isSo = () => town.forge.pulls().find((pull) => pull.number === number)?.merged === true;
  await until(`the merge of ${name}`, isSo, patienceMs);
  await tells(town, name, "decide", "merged #");
}

async function tells(town: Town, name: Stand, verb: string, part: string): Promise<void> {
  const uid = await until(`the incident of ${name}`, () => uidOf(town, name), patienceMs);
  const isTold = () =>
    town.told().some((line) => line.incident === uid && line.verb === verb && line.text?.includes(part) === true);
  await until(`${name} to ${verb} ${part}`, isTold, patienceMs);
}

async function leaseOf(town: Town): Promise<{ readonly ended_at: unknown } | undefined> {
  const uid = await uidOf(town, "leased");
  const [row] = await query(town, "select ended_at from lease where incident = $1", [uid]);
  return row === undefined ? undefined : { ended_at: row.ended_at };
}

async function query({ databaseUrl }: Town, text: string, values: readonly unknown[] = []) {
  const client = new pg.Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return (await client.query(text, [...values])).rows as Record<string, unknown>[];
  } finally {
    await client.end();
  }
}

/** Stands before a model: while it is held, questions wait. */
export interface ModelDoor {
  readonly url: string;
  hold(): void;
  release(): void;
  /** Questions that wait now. */
  held(): number;
  close(): Promise<void>;
}

export async function openModelDoor(modelUrl: string): Promise<ModelDoor> {
  let waiting: (() => void)[] = [];
  let isHeld = false;
  const pass = async (request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    if (isHeld && request.url === "/api/chat") await new Promise<void>((goOn) => waiting.push(goOn));
    const body = chunks.length === 0 ? undefined : Buffer.concat(chunks);
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${modelUrl}${request.url ?? ""}`, { method: request.method ?? "GET", headers, body });
    response.writeHead(answer.status, { "content-type": answer.headers.get("content-type") ?? "application/json" });
    response.end(Buffer.from(await answer.arrayBuffer()));
  };
  const server = createServer((request, response) => void pass(request, response).catch(() => response.destroy()));
  await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
  const address = server.address();
  return {
    url: `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`,
    hold: () => {
      isHeld = true;
    },
    release: () => {
      isHeld = false;
      for (const goOn of waiting) goOn();
      waiting = [];
    },
    held: () => waiting.length,
    close: () =>
      new Promise((closed) => {
        server.close(() => closed());
        server.closeAllConnections();
      }),
  };
}
