import type { Store } from "../../adapters/postgres/store.ts";
import type { Told } from "../told.ts";
import { noRecords, openRecords } from "./records.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** Every parked delivery with its reason, newest first. */
export function listDeliveries(env: Environment): Promise<Told> {
  return withRecords(env, async (store) => {
    const parked = await store.parkedDeliveries(1_000);
    const lines = parked.map(({ id, kind, event, receivedAt, because }) => {
      const from = kind === "github" ? `GitHub ${event}` : "alerts";
      return `${id}  ${receivedAt}  ${from}: ${because}`;
    });
    return { lines: lines.length === 0 ? ["no delivery is parked"] : lines, code: 0 };
  });
}

/** Lets parked deliveries be tried again; code 1 when one of the ids is not that of a parked delivery, 2 for no id. */
export function replayDeliveries(ids: "all" | readonly string[], env: Environment): Promise<Told> {
  const wrong = ids === "all" ? [] : ids.filter((id) => !/^\d{1,18}$/.test(id));
  if (ids.length === 0 || wrong.length > 0) {
    const problem = wrong.length > 0 ? `not an id of a delivery: ${wrong.join(", ")}` : "name deliveries, or --all";
    return Promise.resolve({ lines: [`${problem}; rectify deliveries lists them`], code: 2 });
  }
  return withRecords(env, async (store) => {
    const replayed = await store.replayDeliveries(ids);
    const missing = ids === "all" ? [] : ids.filter((id) => !replayed.includes(id));
    const lines = [
      ...(replayed.length > 0 ? [`tried again: ${replayed.join(", ")}`] : []),
      ...(missing.length > 0 ? [`not parked: ${missing.join(", ")}`] : []),
    ];
    return { lines: lines.length === 0 ? ["no delivery is parked"] : lines, code: missing.length > 0 ? 1 : 0 };
  });
}

async function withRecords(env: Environment, work: (store: Store) => Promise<Told>): Promise<Told> {
  const store = await openRecords(env);
  if (store === undefined) return { lines: [noRecords], code: 1 };
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}
