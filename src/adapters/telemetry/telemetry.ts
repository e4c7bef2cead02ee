import pino from "pino";
import type { Telemetry } from "../../ports/runtime.ts";

/** Log lines as JSON on stderr, each with its Incident-UID and trace id; stdout stays free for answers. */
export function logTelemetry(write?: { write(line: string): void }, onFault?: (error: Error) => void): Telemetry {
  const log = pino({ base: null }, write ?? toStderr(onFault));
  return {
    log: (incident, verb, text) => {
      log.info({ ...(incident === "" ? {} : { incident, trace_id: incident.replaceAll("-", "") }), verb }, text);
    },
  };
}

/** A log that nobody reads any more, or a full disk behind it, must not end the process. */
function toStderr(onFault: (error: Error) => void = () => undefined) {
  return pino.destination({ dest: 2, sync: false }).on("error", onFault);
}
