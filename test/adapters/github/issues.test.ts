import { afterEach, beforeEach, expect, test } from "vitest";
import { aDraft, connect, type Session, startShop } from "../../lab/forge-shop.ts";

let forge: Awaited<ReturnType<typeof startShop>>;
let session: Session;
beforeEach(async () => {
  forge = await startShop({});
  session = await connect(forge);
});
afterEach(() => forge.close());

const issue = (body: string) => ({ title: "Rectify dashboard", label: "rectify-dashboard", body });
const writes = () => forge.calls.filter((call) => call.method !== "GET" && call.path.includes("/issues")).length;

test("the dashboard is opened once, updated when it changed, and left alone when it did not", async () => {
  await session.host.keepIssue(issue("one"), true);
  await session.host.keepIssue(issue("one"), true);
  expect(writes()).toBe(1);
  await session.host.keepIssue(issue("two"), false);
  expect(writes()).toBe(2);
  expect(forge.issues().map(({ body, state }) => ({ body, state }))).toEqual([{ body: "two", state: "open" }]);
});

test("after a restart the issue is found again", async () => {
  await session.host.keepIssue(issue("one"), true);
  const { host } = await connect(forge);
  await host.keepIssue(issue("two"), true);
  expect(forge.issues().map(({ body }) => body)).toEqual(["two"]);
});

test("an issue that others opened under that name and label is not ours", async () => {
  const theirs = await forge.openIssue("wim", { title: "Rectify dashboard", body: "theirs" });
  await forge.label(theirs, ["rectify-dashboard"], "wim");
  await session.host.keepIssue(issue("one"), true);
  expect(forge.issues().map(({ body }) => body)).toEqual(["theirs", "one"]);
});

test("nothing is opened where there is nothing to tell", async () => {
  await session.host.keepIssue(issue("one"), false);
  expect(forge.issues()).toEqual([]);
  // It is not looked for again with every tick, and opened when there is something.
  const before = forge.calls.length;
  await session.host.keepIssue(issue("one"), false);
  await session.host.keepIssue(issue("other words"), false);
  expect(forge.calls.length).toBe(before);
  await session.host.keepIssue(issue("one"), true);
  expect(forge.issues()).toHaveLength(1);
});

const labelled = () =>
  [...forge.issues(), ...forge.pulls()].flatMap(({ number, labels }) =>
    JSON.stringify(labels).includes('"watchtower"') ? [number] : [],
  );

test("a mark is on everything of ours that is open while it holds, told once, and then off again", async () => {
  const theirs = await forge.openIssue("wim", { title: "mine" });
  await session.host.keepIssue(issue("one"), true);
  const { number } = await session.host.publish(await aDraft(forge));
  const before = writes();
  await session.host.mark("watchtower", true);
  await session.host.mark("watchtower", true);
  expect(labelled().sort()).toEqual([theirs + 1, number]);
  expect(writes()).toBe(before + 2);
  // Another process, that does not know what the first one did.
  const restarted = await connect(forge);
  await restarted.host.mark("watchtower", true);
  expect(writes()).toBe(before + 2);
  await restarted.host.mark("watchtower", false);
  expect(labelled()).toEqual([]);
});
