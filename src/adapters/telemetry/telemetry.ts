import pino from "pino";
import type { Telemetry } from "../../ports/runtime.ts";

/** Log lines as JSON on stderr, each with its Incident-UID and trace id; stdout stays free for answers. */
export function logTelemetry(write?: { write(line: string): void }): Telemetry {
  const log = pino({ base: null }, write ?? pino.destination({ dest: 2, sync: false }));
  return {
    log: (incident, verb, text) => {
      log.info({ ...(incident === "" ? {} : { incident, trace_id: incident.replaceAll("-", "") }), verb }, text);
    },
  };
}
