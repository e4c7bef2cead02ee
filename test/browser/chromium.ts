import { accessSync, constants, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, join } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

/** The Chromium of this machine (Debian's package `chromium`), by PATH; undefined where there is none. */
export function findChromium(): string | undefined {
  const names = ["chromium", "chromium-browser", "google-chrome"];
  const places = (process.env.PATH ?? "").split(delimiter).flatMap((folder) => names.map((name) => join(folder, name)));
  return [...(process.env.CHROMIUM ? [process.env.CHROMIUM] : []), ...places].find((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

export function startChromium(executablePath: string): Promise<Browser> {
  // In CI everything runs as root, where Chromium has no sandbox of its own; it sees our own pages alone.
  return chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu"], timeout: 120_000 });
}

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface Looked {
  /** What axe finds, one line each. */
  readonly axe: readonly string[];
  /** How many pixels the page is wider than the screen. */
  readonly sideways: number;
  /** Elements whose text is cut off. */
  readonly cut: readonly string[];
  /** Other hosts that were asked for something. */
  readonly hosts: readonly string[];
  readonly errors: readonly string[];
  /** What a page that draws itself says is missing of it; undefined where none does. */
  readonly shown?: readonly string[];
}

interface Screen {
  readonly width: number;
  readonly scheme: "light" | "dark";
}

// What runs in the page, as text: the tests are not compiled for a browser.
const foldOut = "document.querySelectorAll('details').forEach((part) => { part.open = true; })";
const findCut = `[...document.querySelectorAll("main *")]
  .filter((part) => getComputedStyle(part).overflowX === "hidden" && part.clientWidth > 1)
  .filter((part) => part.scrollWidth > part.clientWidth + 1)
  .map((part) => part.tagName + ": " + (part.textContent ?? "").slice(0, 60))`;
const runAxe = `axe.run().then(({ violations, passes }) =>
  passes.length === 0 ? ["axe looked at nothing"] : violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => id + ": " + html.slice(0, 120))))`;

/** Opens one page with everything folded out and looks at it as a person with that screen would. */
export async function lookAt(browser: Browser, address: string, { width, scheme }: Screen): Promise<Looked> {
  const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme });
  try {
    const page = await context.newPage();
    const own = new URL(address).host;
    const hosts = new Set<string>();
    const errors: string[] = [];
    page.on("request", (request) => hosts.add(new URL(request.url()).host));
    page.on("console", (message) => {
      if (message.type() === "error" && !/status of 404/.test(message.text())) errors.push(message.text());
    });
    await page.goto(address, { timeout: 60_000 });
    const shown: string[] | undefined = await page.evaluate("window.shown");
    await keepPicture(page, { width, scheme });
    await page.evaluate(foldOut);
    const sideways: number = await page.evaluate("document.documentElement.scrollWidth - window.innerWidth");
    const cut: string[] = await page.evaluate(findCut);
    await page.evaluate(axe);
    const found: string[] = await page.evaluate(runAxe);
    return {
      axe: found,
      sideways: Math.max(0, sideways),
      cut,
      hosts: [...hosts].filter((host) => host !== own),
      errors,
      ...(shown === undefined ? {} : { shown }),
    };
  } finally {
    await context.close();
  }
}

/** With PICTURES=DIRECTORY each page is kept as a picture, for people to look at. */
async function keepPicture(page: Page, { width, scheme }: Screen): Promise<void> {
  const directory = process.env.PICTURES;
  if (directory === undefined) return;
  mkdirSync(directory, { recursive: true });
  const { pathname, search } = new URL(page.url());
  const name = `${pathname}${search}`.replace(/[^\w]+/g, "-").replace(/^-|-$/g, "") || "incidents";
  await page.screenshot({ path: join(directory, `${name}-${width}-${scheme}.png`), fullPage: true });
}
