import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listen } from "../../src/adapters/http/listener.ts";
import { backtestPage } from "../../src/server/pages/backtest/report.ts";
import { pageRoutes } from "../../src/server/pages/routes.ts";
import { freshDatabase } from "../postgres.ts";
import { findChromium, lookAt, startChromium } from "./chromium.ts";
import { aReport, filledStore, live } from "./records.ts";

const program = findChromium();
if (program === undefined) {
  if (process.env.RECTIFY_NEEDS_CHROMIUM === "1") throw new Error("no Chromium on PATH: apt-get install chromium");
  process.stderr.write("The pages are not looked at: there is no Chromium on PATH (Debian's package chromium).\n");
}

const screens = [1280, 390].flatMap((width) => (["light", "dark"] as const).map((scheme) => ({ width, scheme })));
const nothing = { axe: [], sideways: 0, cut: [], hosts: [], errors: [] };

const closing: (() => unknown)[] = [];
let browser: Browser;
let at = "";
const uids = { ENDED: "", OPEN: "" };

beforeAll(async () => {
  const { store, ended, open } = await filledStore(await freshDatabase());
  closing.push(() => store.close());
  const server = await listen(pageRoutes(store, live), { host: "127.0.0.1", port: 0 });
  closing.push(() => server.close());
  at = `http://127.0.0.1:${server.port}`;
  Object.assign(uids, { ENDED: ended, OPEN: open });
  if (program === undefined) return;
  browser = await startChromium(program);
  closing.push(() => browser.close());
}, 300_000);

afterAll(async () => {
  for (const close of closing.splice(0).reverse()) await close();
}, 120_000);

describe.skipIf(program === undefined)("in Chromium", () => {
  test("the report of a backtest: the same, as the one file that it is", async () => {
    const { report, records } = aReport();
    const page = await backtestPage(report, records);
    const answer = { "content-type": "text/html; charset=utf-8" };
    const server = createServer((_, response) => void response.writeHead(200, answer).end(page));
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    closing.push(() => server.close());
    const { port } = server.address() as AddressInfo;
    for (const screen of screens) {
      const seen = await lookAt(browser, `http://127.0.0.1:${port}/backtest`, screen);
      expect({ ...screen, ...seen }).toEqual({ ...screen, ...nothing });
    }
  }, 300_000);

  test.each([
    "/",
    "/?state=open&text=nothing",
    "/?alert=HighRequestLatency&since=24h",
    "/incidents/ENDED",
    "/incidents/OPEN",
    "/memory",
    "/autonomy",
    "/audit",
    "/audit?incident=ENDED",
    "/system",
    "/nowhere",
  ])(
    "%s has no finding of axe, nothing cut, no sideways scrolling and asks no other host",
    async (path) => {
      const address = at + path.replace(/ENDED|OPEN/, (name) => uids[name as keyof typeof uids]);
      for (const screen of screens) {
        expect({ ...screen, ...(await lookAt(browser, address, screen)) }).toEqual({ ...screen, ...nothing });
      }
    },
    300_000,
  );
});

test("the incident's page leads to pull request, commit, manifest line and query", async () => {
  const text = await (await fetch(`${at}/incidents/${uids.ENDED}`)).text();
  for (const name of ["merged", "synced", "recovered"]) expect(text).toContain(`<line class="${name}"`);
  const links = [...text.matchAll(/href="(http[^"]+)"/g)].map(([, link = ""]) => link.replaceAll("&amp;", "&"));
  const sha = "6b02dd3f0c1e4a5b8d7e9f00112233445566778a";
  for (const link of [`pull/12`, `commit/${sha}`, `blob/${sha}/manifests/shop/overlays/production/web.yaml#L6`])
    expect(links).toContain(`https://github.example/acme/gitops/${link}`);
  expect(links).toContainEqual(expect.stringMatching(/^https:\/\/prometheus\.example\/graph\?g0\.expr=/));
  const explore = links.find((link) => link.startsWith("https://grafana.example/explore?")) ?? "";
  expect(JSON.parse(new URL(explore).searchParams.get("panes") ?? "")).toMatchObject({
    a: { datasource: "prometheus" },
  });
});
