import { connect, createServer, type Socket } from "node:net";
import { startEmbeddedPostgres } from "../src/adapters/postgres/server.ts";
import { clearPostgres } from "./temporary-postgres.ts";

/** A Postgres that is restarted under the same address. */
export interface RestartedPostgres {
  readonly url: string;
  restart(meanwhile: () => Promise<void>): Promise<void>;
  close(): Promise<void>;
}

/** The server takes another port each time: who asks for it comes through a door that stays. */
export async function restartedPostgres(directory: string): Promise<RestartedPostgres> {
  let server = await startEmbeddedPostgres(directory);
  const sockets = new Set<Socket>();
  const door = createServer((caller) => {
    const inner = connect(Number(new URL(server.url).port), "127.0.0.1");
    for (const [from, to] of [
      [caller, inner],
      [inner, caller],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on("error", () => to.destroy());
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
    }
  });
  await new Promise<void>((resolve) => door.listen(0, "127.0.0.1", resolve));
  const address = door.address();
  const url = new URL(server.url);
  url.port = String(typeof address === "object" && address !== null ? address.port : 0);
  return {
    url: url.href,
    restart: async (meanwhile) => {
      await server.stop();
      await meanwhile();
      server = await startEmbeddedPostgres(directory);
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => door.close(resolve));
      await clearPostgres(directory);
    },
  };
}
