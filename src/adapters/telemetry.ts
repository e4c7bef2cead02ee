import pino from "pino";
import type { Telemetry } from "../ports.ts";

/** Log lines as JSON on stderr, each with its Incident-UID; stdout stays free for answers. */
export function logTelemetry(): Telemetry {
  const log = pino({ base: null }, pino.destination({ dest: 2, sync: false }));
  return {
    tell: (incident, verb, text) => {
      log.info({ ...(incident === "" ? {} : { incident }), verb }, text);
    },
  };
}
