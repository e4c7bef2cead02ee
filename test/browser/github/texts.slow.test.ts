import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { goldenTexts, toldScenarios } from "../../lab/scenarios/golden.ts";
import { findChromium, lookAt, startChromium } from "../chromium.ts";
import { articleMark, serveMarkdown } from "./rendered.ts";

const program = findChromium();
if (program === undefined) {
  if (process.env.RECTIFY_NEEDS_CHROMIUM === "1") throw new Error("no Chromium on PATH: apt-get install chromium");
  process.stderr.write("The texts are not looked at: there is no Chromium on PATH (Debian's package chromium).\n");
}

const screens = [1280, 390].flatMap((width) => (["light", "dark"] as const).map((scheme) => ({ width, scheme })));
const nothing = { axe: [], sideways: 0, cut: [], hosts: [], errors: [], shown: [] };

const closing: (() => unknown)[] = [];
let browser: Browser;
let at = "";

beforeAll(async () => {
  const pages = toldScenarios.map((name) => [name, Object.values(goldenTexts(name)).join(articleMark)] as const);
  const { url, server } = await serveMarkdown(Object.fromEntries(pages));
  closing.push(() => server.close());
  at = url;
  if (program === undefined) return;
  browser = await startChromium(program);
  closing.push(() => browser.close());
}, 300_000);

afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, 120_000);

// The texts are those of a lab run (test/lab/scenarios/golden): pull requests, reverts, comments, dashboard, post-mortems.
describe.skipIf(program === undefined)("in Chromium, as GitHub renders it", () => {
  test.each(toldScenarios)(
    "what %s wrote loses nothing, is drawn, has no finding of axe, nothing cut and no sideways scrolling",
    async (scenario) => {
      for (const screen of screens)
        expect({ ...screen, ...(await lookAt(browser, `${at}/${scenario}`, screen)) }).toEqual({
          ...screen,
          ...nothing,
        });
    },
    300_000,
  );
});
