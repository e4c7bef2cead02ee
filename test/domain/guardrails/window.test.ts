import { expect, test } from "vitest";
import { parseDuration, renderDuration } from "../../../src/domain/text/duration.ts";
import type { Window } from "../../../src/domain/guardrails/guardrails.ts";
import { isInsideWindows, renderWindow } from "../../../src/domain/guardrails/window.ts";

const office: Window = { days: ["mon", "tue"], from: "09:00", to: "17:00", timeZone: "Europe/Berlin" };
const night: Window = { days: ["fri"], from: "22:00", to: "04:00", timeZone: "UTC" };

test.each<[string, Window, string, boolean]>([
  ["Monday morning in Berlin, summer", office, "2026-07-06T07:00:00Z", true],
  ["a minute before", office, "2026-07-06T06:59:00Z", false],
  ["Monday morning in Berlin, winter", office, "2026-12-07T07:30:00Z", false],
  ["the end is outside", office, "2026-07-06T15:00:00Z", false],
  ["another day", office, "2026-07-08T10:00:00Z", false],
  ["Friday night", night, "2026-07-10T23:00:00Z", true],
  ["Saturday early, still Friday's window", night, "2026-07-11T03:59:00Z", true],
  ["Saturday after its end", night, "2026-07-11T04:00:00Z", false],
  ["Friday early belongs to Thursday", night, "2026-07-10T03:00:00Z", false],
  ["Sunday in UTC is Monday in Auckland", { ...office, timeZone: "Pacific/Auckland" }, "2026-07-05T22:00:00Z", true],
  [
    "the hour that does not exist, New York",
    { days: ["sun"], from: "02:00", to: "04:00", timeZone: "America/New_York" },
    "2026-03-08T07:30:00Z",
    true,
  ],
])("%s", (_, window, now, inside) => {
  expect(isInsideWindows([window], new Date(now))).toBe(inside);
});

test("no windows mean always, several mean any", () => {
  const now = new Date("2026-07-10T23:00:00Z");
  expect(isInsideWindows([], now)).toBe(true);
  expect(isInsideWindows([office, night], now)).toBe(true);
  expect(renderWindow(office)).toBe("mon, tue 09:00–17:00 Europe/Berlin");
});

test.each([
  ["30m", 1_800_000],
  ["24h", 86_400_000],
  ["7d", 604_800_000],
  ["0h", undefined],
  ["1w", undefined],
  ["24", undefined],
])("%s lasts %s ms", (text, milliseconds) => {
  expect(parseDuration(text)).toBe(milliseconds);
});

test.each([
  [0, "0 s"],
  [90_000, "2 min"],
  [7_500_000, "2 h 5 min"],
  [93_600_000, "1 d 2 h"],
  [-5, "0 s"],
])("%s ms are shown as %s", (milliseconds, text) => {
  expect(renderDuration(milliseconds)).toBe(text);
});
