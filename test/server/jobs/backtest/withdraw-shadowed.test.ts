import { afterAll, beforeAll, expect, test } from "vitest";
import { openStore, type Store } from "../../../../src/adapters/postgres/store.ts";
import { openIncident } from "../../../../src/domain/incident/incident.ts";
import type { Ending } from "../../../../src/domain/incident/incident.ts";
import { latchOver } from "../../../../src/server/jobs/backtest/shadow-latch.ts";
import { withdrawShadowed } from "../../../../src/server/jobs/backtest/withdraw-shadowed.ts";
import { anAlert } from "../../../builders.ts";
import { aDraft, connect, type Session, startShop } from "../../../lab/forge-shop.ts";
import { freshDatabase } from "../../../postgres.ts";

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
  store = await openStore(await freshDatabase());
  session = await connect(forge, undefined, undefined, (...call) => latch.refusal(...call));
  const latch = latchOver(store, () => session.mirror.head());
});
afterAll(async () => {
  await forge.close();
  await store.close();
});

/** A pull request in the merge queue whose incident has ended so, or goes on. */
async function left(name: string, ending?: Ending, namespace = "shop"): Promise<number> {
  const incident = openIncident("test", { kind: "Deployment", namespace, name }, anAlert());
  await store.recordIncident(incident);
  const proposal = await session.host.publish(
    await aDraft(forge, { incident: incident.uid, branch: `rectify/${name}` }),
  );
  await store.recordPull(proposal.number, incident.uid);
  await session.host.merge(proposal);
  if (ending !== undefined) {
    const story = name === "told" ? { ending, because: "no more access", proposal } : null;
    await store.endIncident(incident.uid, { ending, because: "no more access", story });
  }
  return proposal.number;
}

test("a switch takes its class out of the merge queue at once, wakes its stories, and withdraws what was parked", async () => {
  const parked = [await left("told", "parked"), await left("silent", "parked")];
  const [working, lease, far] = [await left("w"), await left("lease", "recovered"), await left("far", "parked", "far")];
  const others = [working, lease, far];
  expect(forge.queued()).toEqual([...parked, ...others]);
  const sweep = withdrawShadowed({
    store,
    wake: async (_pull, key) => void woken.push(key),
    ports: { github: session.host, telemetry: { log: (_incident, _verb, text) => void told.push(text) } },
  });
  await sweep();
  expect(forge.queued()).toEqual([...parked, ...others]);
  await turnTo({ modes: [{ namespace: "shop", mode: "shadow" }] });
  await sweep();
  expect(forge.queued()).toEqual([far]);
  expect(woken).toEqual([expect.stringMatching(`^shadow ${working} [0-9a-f]{40}$`)]);
  const open = forge.pulls().flatMap(({ number, state }) => (state === "open" ? [number] : []));
  expect(open).toEqual(others);
  expect([...told].sort()).toEqual(parked.map((number) => expect.stringContaining(`withdrew #${number}: shadow mode`)));
  forge.resetCalls();
  await sweep();
  expect(forge.calls).toEqual([]);
});
