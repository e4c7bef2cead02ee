import { expect, test } from "vitest";
import type { Route } from "../../../src/adapters/http/listener.ts";
import { pageRoutes } from "../../../src/server/pages/routes.ts";
import { placesOfPages } from "../../../src/server/pages/viewers.ts";

const pages = pageRoutes({} as Parameters<typeof pageRoutes>[0]);
const pathsOf = (routes: readonly Route[] | undefined) => routes?.map(({ path }) => path);
const everyPath = [
  "/favicon.svg",
  "/incidents/*/capsule",
  "/",
  "/incidents/*",
  "/memory",
  "/audit",
  "/autonomy",
  "/system",
  "/*",
];

test("without authentication no page is on the internal port", () => {
  const { internal, loopback } = placesOfPages(pages, { kind: "loopback", port: 0 });
  expect(internal).toEqual([]);
  expect(pathsOf(loopback)).toEqual(everyPath);
});

test("behind a proxy every page is on the internal port, and none of them for who comes past the proxy", () => {
  const { internal, loopback } = placesOfPages(pages, { kind: "proxy", userHeader: "x-user", secret: "s".repeat(32) });
  expect(loopback).toBeUndefined();
  expect(pathsOf(internal)).toEqual(everyPath);
  expect(internal.map(({ admit }) => admit?.({ host: "localhost" })?.status)).toEqual(everyPath.map(() => 401));
});
