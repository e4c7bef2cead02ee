import { afterEach, beforeEach, expect, test } from "vitest";
import { connect, type Session, startShop } from "../lab/forge-shop.ts";

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
});
