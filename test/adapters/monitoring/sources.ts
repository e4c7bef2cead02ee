import { expect } from "vitest";
import {
  type ApiServer,
  type Answer,
  type Asked,
  type Fault,
  serveApi,
} from "../../../src/lab/cluster/servers/api-server.ts";
import { Refused, Unavailable } from "../../../src/ports/errors.ts";

/** One API that gives the same answer every time, and what it was asked. */
export async function sourceOf(answer: Answer): Promise<ApiServer & { readonly asked: Asked[] }> {
  const asked: Asked[] = [];
  const server = await serveApi((request) => {
    asked.push(request);
    return answer;
  });
  return { ...server, asked };
}

/** Every way in which a source lets its reader down, and what the reader must say. */
export const letdowns: readonly (readonly [string, Fault, typeof Refused | typeof Unavailable, RegExp])[] = [
  ["is down", { kind: "down" }, Unavailable, /ECONNRESET|UND_ERR_SOCKET|hang up|other side closed/],
  ["is slow", { kind: "slow", ms: 5_000 }, Unavailable, /in time/],
  ["answers 400", { kind: "status", status: 400 }, Refused, /400/],
  ["answers 403", { kind: "status", status: 403 }, Refused, /403/],
  ["answers 422", { kind: "status", status: 422 }, Refused, /422/],
  ["answers 429", { kind: "status", status: 429 }, Unavailable, /429/],
  ["answers 500", { kind: "status", status: 500 }, Unavailable, /500/],
  ["answers 503", { kind: "status", status: 503 }, Unavailable, /503/],
  ["cuts its answer", { kind: "cut" }, Unavailable, /./],
  ["answers with a sign-in page", { kind: "wrong-type" }, Refused, /not JSON/],
];

/** How long a reader waits: only where no end of the answer comes does it matter, and a busy machine is no such source. */
export const patienceFor = (fault?: Fault): number => (fault?.kind === "slow" || fault?.kind === "cut" ? 300 : 20_000);

/** The call must fail with this kind of error, and its text must say why. */
export async function expectFailure(call: Promise<unknown>, kind: typeof Refused | typeof Unavailable, reason: RegExp) {
  const error: unknown = await call.then(
    () => new Error("the call succeeded"),
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(kind);
  expect((error as Error).message).toMatch(reason);
}
