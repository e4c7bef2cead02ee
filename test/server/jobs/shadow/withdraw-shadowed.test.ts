import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore, type Store } from "../../../../src/adapters/postgres/store.ts";
import { openIncident } from "../../../../src/domain/incident/incident.ts";
import type { Ending } from "../../../../src/domain/incident/incident.ts";
import type { Proposal } from "../../../../src/domain/proposal/pull-request.ts";
import { latchOver } from "../../../../src/server/jobs/shadow/shadow-latch.ts";
import { withdrawShadowed } from "../../../../src/server/jobs/shadow/withdraw-shadowed.ts";
import { anAlert } from "../../../builders.ts";
import { aDraft, connect, type Session, startShop } from "../../../lab/forge-shop.ts";
import { aLease } from "../../../lease.ts";
import { migratedDatabase } from "../../../postgres.ts";

let forge: Awaited<ReturnType<typeof startShop>>;
let session: Session;
let store: Store;
const told: string[] = [];
const woken: string[] = [];
const turnTo = (guardrails: object) =>
  forge.push({ ".github/rectify.yml": JSON.stringify(guardrails) }, { message: "guardrails", author: "ada" });

beforeAll(async () => {
  forge = await startShop({ requiredChecks: [], settings: { mergeQueue: "ruleset" } });
  await turnTo({ mode: "live" });
  store = await openStore(await migratedDatabase());
  session = await connect(forge, undefined, undefined, (...call) => latch.refusal(...call));
  const latch = latchOver(store, () => session.mirror.head());
});
afterAll(async () => {
  await forge.close();
  await store.close();
});

interface Left {
  readonly ending?: Ending;
  readonly namespace?: string;
  /** What it has on record; nothing = it ended before it could say. */
  readonly outcome?: (opened: Proposal) => object;
}

/** A pull request in the merge queue whose incident has ended so, or goes on. */
async function left(name: string, { ending, namespace = "shop", outcome }: Left = {}): Promise<number> {
  const incident = openIncident("test", { kind: "Deployment", namespace, name }, anAlert());
  await store.recordIncident(incident);
  const proposal = await session.host.publish(
    await aDraft(forge, { incident: incident.uid, branch: `rectify/${name}` }),
  );
  await store.recordPull(proposal.number, incident.uid);
  await session.host.merge(proposal);
  const because = "no more access";
  const told = outcome && { ending, because, ...outcome(proposal) };
  if (ending !== undefined) await store.endIncident(incident.uid, { ending, because, outcome: told ?? null });
  return proposal.number;
}

/** Somebody is at work on the lease of the incident under this number. */
async function atWorkOnLease(number: number): Promise<void> {
  const incident = await store.incidentOfPull(number);
  if (incident === undefined) throw new Error("nothing is on record");
  await store.leases.begin(aLease({ incident }));
  await store.giveLease(incident.uid, `${incident.uid}/lease/0`);
}

const aSweep = () =>
  withdrawShadowed({
    store,
    wake: async (_pull, key) => void woken.push(key),
    ports: { github: session.host, telemetry: { log: (_incident, _verb, text) => void told.push(text) } },
  });
const openNow = () => forge.pulls().flatMap(({ number, state }) => (state === "open" ? [number] : []));

test("a switch takes its class out of the merge queue at once, wakes its workflows, and withdraws what nobody is at work on", async () => {
  const withoutWorkflow = [
    await left("told", { ending: "parked", outcome: (proposal) => ({ proposal }) }),
    await left("silent", { ending: "parked" }),
    await left("revert", {
      ending: "parked",
      outcome: (opened) => ({ proposal: { ...opened, number: 1 }, revert: { proposal: opened } }),
    }),
    await left("rollback", { ending: "recovered", outcome: (opened) => ({ proposal: { ...opened, number: 1 } }) }),
  ];
  const [working, lease] = [await left("w"), await left("lease", { ending: "recovered" })];
  await atWorkOnLease(lease);
  const far = await left("far", { ending: "parked", namespace: "far" });
  const others = [working, lease, far];
  expect(forge.queued()).toEqual([...withoutWorkflow, ...others]);
  const sweep = aSweep();
  await sweep();
  expect(forge.queued()).toEqual([...withoutWorkflow, ...others]);
  await turnTo({ modes: [{ namespace: "shop", mode: "shadow" }] });
  await sweep();
  expect(forge.queued()).toEqual([far]);
  const keys = [working, lease].map((number) => expect.stringMatching(`^shadow ${number} [0-9a-f]{40}$`));
  expect([...woken].sort()).toEqual(keys);
  expect(openNow()).toEqual(others);
  const withdrawn = withoutWorkflow.map((number) => expect.stringContaining(`withdrew #${number}: shadow mode`));
  expect([...told].sort()).toEqual(withdrawn);
  forge.resetCalls();
  await sweep();
  expect(forge.calls).toEqual([]);
});

test("a pull request that GitHub refuses to close keeps no other one open, and is tried again", async () => {
  await turnTo({ mode: "live" });
  const sweep = aSweep();
  await sweep();
  const [first, refused, last] = [
    await left("first", { ending: "parked" }),
    await left("refused", { ending: "parked" }),
    await left("last", { ending: "parked" }),
  ];
  const before = openNow().filter((number) => number < first);
  await turnTo({ modes: [{ namespace: "shop", mode: "shadow" }] });
  const answer = { status: 403, body: { message: "Resource not accessible by integration" } };
  forge.faults = ({ method, path }) =>
    method === "PATCH" && path.endsWith(`/pulls/${refused}`) ? { when: "before", answer } : undefined;
  await expect(sweep()).rejects.toThrow("Resource not accessible");
  expect(openNow()).toEqual([...before, refused]);
  expect(forge.queued()).not.toContain(last);
  forge.faults = undefined;
  told.length = 0;
  await sweep();
  expect(openNow()).toEqual(before);
  expect(told).toEqual([expect.stringContaining(`withdrew #${refused}`)]);
});
