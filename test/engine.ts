import { DBOS } from "@dbos-inc/dbos-sdk";
import { type Durable, startDurable } from "../src/adapters/dbos/durable.ts";
import { type Rectify, startRectify } from "../src/main.ts";

/** The engine, which a process has once: its shutdown leaves none of the registered workflows to the next test file. */
export async function startEngine(options: Parameters<typeof startDurable>[0]): Promise<Durable> {
  const durable = await startDurable(options);
  return {
    ...durable,
    shutdown: async () => {
      await durable.shutdown();
      await DBOS.shutdown({ deregister: true });
    },
  };
}

/** The whole product in this process, put away in the same manner. */
export async function startProduct(...start: Parameters<typeof startRectify>): Promise<Rectify> {
  const rectify = await startRectify(...start);
  return {
    ...rectify,
    close: async () => {
      await rectify.close();
      await DBOS.shutdown({ deregister: true });
    },
  };
}
