import { listen } from "../../src/adapters/http/listener.ts";
import { openMeter } from "../../src/adapters/telemetry/metrics.ts";
import { openStore } from "../../src/adapters/postgres/store.ts";
import { createApp } from "../../src/server/github-app.ts";
import { generateKeyPairSync } from "node:crypto";
import { internalRoutes, webhookRoutes } from "../../src/server/routes.ts";
import { pageRoutes } from "../../src/server/pages/routes.ts";

/** Both listeners with every route that `rectify serve` has, on a store of their own, and what they threw. */
export async function openListeners(database: string) {
  const store = await openStore(database);
  const key = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const privateKey = key.privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const app = createApp({ id: 1, privateKey, webhookSecret: "s".repeat(32), wake: async () => undefined });
  const intake = { store, app, alertsToken: "t".repeat(32), notify: () => undefined };
  const meter = openMeter();
  const faults: unknown[] = [];
  const at = { host: "127.0.0.1", port: 0, onFault: (error: unknown) => faults.push(error) };
  const webhooks = await listen(webhookRoutes(intake), at);
  const internal = await listen([...internalRoutes(intake), ...pageRoutes(store), meter.route], at);
  return {
    ports: [webhooks.port, internal.port] as const,
    faults,
    close: async () => {
      await Promise.all([webhooks.close(), internal.close()]);
      await store.close();
    },
  };
}
