import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { findChromium, startChromium } from "../browser/chromium.ts";
import { articleMark, serveMarkdown } from "../browser/github/rendered.ts";
import { goldenTexts } from "../lab/scenarios/golden.ts";

/*
 * npm run docs:pictures [-- DIRECTORY]: draws the pictures of the papers into .github/, from texts that a lab run wrote
 * (test/lab/scenarios/golden), as GitHub shows them. Needs Chromium.
 */

const [directory = fileURLToPath(new URL("../../.github/", import.meta.url))] = process.argv.slice(2);

const program = findChromium();
if (program === undefined) {
  process.stderr.write("There is no Chromium on PATH: install one (Debian: apt-get install chromium), or set CHROMIUM.\n");
  process.exit(1);
}

const told = goldenTexts("scale");
const pull = [told["pull-1.md"], told["pull-1-comments.md"]].join(articleMark);
const { url, server } = await serveMarkdown({ pull });
const browser = await startChromium(program);
try {
  const page = await browser.newPage({ viewport: { width: 920, height: 900 }, colorScheme: "light" });
  await page.goto(`${url}/pull`);
  const missing: string[] = await page.evaluate("window.shown");
  if (missing.length > 0) throw new Error(`not all of it is drawn: ${missing.join("; ")}`);
  const path = join(directory, "pull-request.png");
  await page.screenshot({ path, fullPage: true });
  process.stdout.write(`${path}\n`);
} finally {
  await browser.close();
  server.close();
}
