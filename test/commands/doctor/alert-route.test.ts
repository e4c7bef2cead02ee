import { expect, test } from "vitest";
import { alertRouteOf } from "../../../src/commands/doctor/alert-route.ts";

const ours = { name: "rectify", webhook_configs: [{ url: "http://rectify.rectify.svc:9095/alerts" }] };
const people = { name: "people", webhook_configs: [{ url: "https://chat.example/hook" }] };
const nested = { receiver: "people", routes: [{ matchers: ['team="a"'], routes: [{ receiver: "rectify" }] }] };

test.each([
  [
    "a route below a route leads to us",
    { route: nested, receivers: [people, ours] },
    { kind: "routed", receiver: "rectify", url: "http://rectify.rectify.svc:9095/alerts" },
  ],
  [
    "a receiver that nothing leads to does not count",
    { route: { receiver: "people" }, receivers: [people, ours] },
    { kind: "unrouted", receiver: "rectify" },
  ],
  [
    "other webhooks are not ours, also with a longer path",
    { route: { receiver: "x" }, receivers: [people, { name: "x", webhook_configs: [{ url: "http://a/alerts/x" }] }] },
    { kind: "elsewhere" },
  ],
  [
    "a hidden address may be ours",
    { route: nested, receivers: [people, { name: "rectify", webhook_configs: [{ url: "<secret>" }] }] },
    { kind: "hidden", receivers: ["rectify"] },
  ],
  [
    "an address in a file is hidden, too",
    { route: nested, receivers: [{ name: "rectify", webhook_configs: [{ url_file: "/etc/url" }] }] },
    { kind: "hidden", receivers: ["rectify"] },
  ],
  [
    "a hidden address of a receiver that nothing leads to is of no interest",
    { route: { receiver: "people" }, receivers: [people, { name: "x", webhook_configs: [{ url: "<secret>" }] }] },
    { kind: "elsewhere" },
  ],
  ["no receivers at all", { route: {} }, { kind: "elsewhere" }],
  ["something else than a configuration", ["route"], { kind: "unreadable" }],
  ["nothing", undefined, { kind: "unreadable" }],
])("%s", (_promise, configuration, route) => {
  expect(alertRouteOf(configuration)).toEqual(route);
});
