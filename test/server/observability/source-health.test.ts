import { beforeEach, expect, test } from "vitest";
import { Refused, Unavailable } from "../../../src/ports/errors.ts";
import { openSources, type Sources } from "../../../src/server/observability/source-health.ts";

let minute: number;
let sources: Sources;
beforeEach(() => {
  minute = 0;
  sources = openSources({ now: () => new Date(Date.UTC(2026, 10, 25, 13, minute)) }, (text) => text);
});

const at = (minutes: number) => new Date(Date.UTC(2026, 10, 25, 13, minutes)).toISOString();
const loki = () => sources.all().find(({ name }) => name === "Loki");

/** A port whose answers are set by the test. */
function aPort() {
  let next: () => Promise<string> = async () => "fine";
  const port = sources.watch("Loki", {
    ask: (what: string) => next().then((answer) => `${what} ${answer}`),
    state: () => 7,
  });
  return { port, answers: (work: () => Promise<string>) => void (next = work) };
}

test("a source that nobody asked is neither good nor bad", () => {
  expect(loki()).toMatchObject({ state: "unasked", since: at(0), lastAnswer: undefined, lastError: undefined });
});

test("a watched port answers and fails as before, and both are heard", async () => {
  const { port, answers } = aPort();
  expect(await port.ask("all")).toBe("all fine");
  expect(port.state()).toBe(7);
  minute = 1;
  const down = new Unavailable("Loki /query: ECONNREFUSED");
  answers(() => Promise.reject(down));
  await expect(port.ask("all")).rejects.toBe(down);
  expect(loki()).toMatchObject({
    ...{ state: "silent", since: at(1), lastAnswer: at(0) },
    lastError: { at: at(1), because: "Loki /query: ECONNREFUSED" },
  });
});

test("since when tells the change, not the last call; the last error stays when it answers again", async () => {
  const { port, answers } = aPort();
  answers(() => Promise.reject(new Refused("Loki: HTTP 403")));
  await port.ask("x").catch(() => undefined);
  minute = 2;
  await port.ask("x").catch(() => undefined);
  expect(loki()).toMatchObject({ state: "refuses", since: at(0), lastError: { at: at(2) } });
  answers(async () => "fine");
  minute = 3;
  await port.ask("x");
  minute = 9;
  await port.ask("x");
  expect(loki()).toMatchObject({ state: "answers", since: at(3), lastAnswer: at(9), lastError: { at: at(2) } });
});

test.each([
  [200, "answers"],
  [404, "answers"],
  [422, "answers"],
  [401, "refuses"],
  [403, "refuses"],
  [429, "silent"],
  [503, "silent"],
  [undefined, "silent"],
])("an HTTP status of %s means that it %s", (status, state) => {
  sources.recordStatus("Loki", status);
  expect(loki()?.state).toBe(state);
});

test("what others say is cleaned before it is kept", () => {
  const clean = openSources({ now: () => new Date(0) }, (text) => text.replaceAll("hunter2", "*"));
  clean.record("Model", { kind: "silent", because: "hunter2" });
  clean.describe("Git", "hunter2");
  clean.absent("Loki", "hunter2");
  expect(JSON.stringify(clean.all())).not.toContain("hunter2");
});
