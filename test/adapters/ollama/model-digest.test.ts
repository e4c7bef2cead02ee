import { afterAll, beforeAll, expect, test } from "vitest";
import { listen } from "../../../src/adapters/http/listener.ts";
import { ollamaModel } from "../../../src/adapters/ollama/ollama.ts";
import { openStepMeter } from "../../../src/adapters/telemetry/step-meter.ts";
import { openStore, type Store } from "../../../src/adapters/postgres/store.ts";
import { explain } from "../../../src/commands/records/explain.ts";
import { type LabModel, labModelName, startModel } from "../../../src/lab/model/model.ts";
import { pageRoutes } from "../../../src/server/pages/routes.ts";
import { incidentWith, storyOf } from "../../injection/incident.ts";
import { migratedDatabase } from "../../postgres.ts";

const incident = incidentWith(undefined);
// What the stand-in lists for its model, as people see it.
const answeredBy = `${labModelName} (46e0c10c039e)`;
let url: string;
let store: Store;
let server: LabModel;
let body = "";

beforeAll(async () => {
  url = await migratedDatabase();
  store = await openStore(url);
  server = await startModel();
  await store.recordIncident(incident);
  const kept: Promise<void>[] = [];
  const meter = openStepMeter({
    attempt: () => undefined,
    exchange: (uid, exchange) => void kept.push(store.addExchange(uid, exchange)),
  });
  const model = meter.watchModel(ollamaModel({ host: server.url, model: labModelName }));
  const says = () => {
    throw new Error("the double is not asked");
  };
  const told = await storyOf({ world: "proven", planted: undefined, says, model });
  body = told.draft?.body ?? "";
  await Promise.all(kept);
});
afterAll(async () => {
  await server.close();
  await store.close();
});

test("the pull request names the model that answered, with its digest", () => {
  expect(body).toContain(`The model \`${answeredBy}\` writes (not checked)`);
});

test("`rectify explain` names it", async () => {
  const { lines } = await explain(incident.uid, { DATABASE_URL: url });
  expect(lines.join("\n")).toMatch(/Prompt +\d+ characters to llama3\.1:8b \(46e0c10c039e\)/);
});

test("the incident's page names it", async () => {
  const pages = await listen(pageRoutes(store), { host: "127.0.0.1", port: 0 });
  try {
    const text = await (await fetch(`http://127.0.0.1:${pages.port}/incidents/${incident.uid}`)).text();
    expect(text).toContain(`Prompt and answer 1 of ${answeredBy}`);
  } finally {
    await pages.close();
  }
});
