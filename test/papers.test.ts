import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { describe, expect, test } from "vitest";
import { commandWords } from "../src/domain/guardrails/command.ts";
import { readGuardrails } from "../src/manifests/repository/guardrails-file.ts";
import { meanings, settingLines, settingsHelp, settingsTable } from "../src/settings/settings-table.ts";

const papers = [
  "README.md",
  "CHANGELOG.md",
  ".github/CONTRIBUTING.md",
  ...["src", "policies", "manifests", "test", "test/contracts"].map((folder) => `${folder}/README.md`),
  "manifests/ollama/TRAINING.md",
];
const textOf = (paper: string) => readFileSync(paper, "utf8");
const { scripts } = JSON.parse(textOf("package.json")) as { scripts: Record<string, string> };

/** Code blocks and inline code hold no links. */
const prose = (text: string) => text.replace(/^```[\s\S]*?^```/gm, "").replace(/`[^`\n]*`/g, "");

/** The anchors that GitHub gives to the headings of a paper. */
const anchorsOf = (paper: string) =>
  [...textOf(paper).matchAll(/^#+ (.+)$/gm)].map(([, heading = ""]) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N} _-]/gu, "")
      .replaceAll(" ", "-"),
  );

test("the front page has at most 1,300 words", () => {
  expect(textOf("README.md").split(/\s+/).filter(Boolean).length).toBeLessThanOrEqual(1_300);
});

test("the sample guardrails of the front page are valid", () => {
  const [, sample = ""] = /^```yaml\n([\s\S]*?)^```/m.exec(textOf("README.md")) ?? [];
  expect(readGuardrails(Buffer.from(sample))).toMatchObject({ ok: true, value: { namespaces: ["shop"] } });
});

test("the front page names every command of people and of the command line", () => {
  const front = textOf("README.md");
  const commands = [...textOf("src/cli.ts").matchAll(/^(?:program|const \w+ = program)\s*\.command\("([\w-]+)/gm)];
  const lost = [...commands.map(([, name = ""]) => name), ...commandWords.map((word) => `/${word}`)];
  expect(commands.length).toBeGreaterThan(10);
  expect(lost.filter((name) => !front.includes(name))).toEqual([]);
});

describe.each(papers)("%s", (paper) => {
  test("each relative link leads to a file, and to a heading where it names one", () => {
    const links = [...prose(textOf(paper)).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link = ""]) => link);
    const lost = links
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => {
        const [path = "", anchor] = link.split("#");
        const file = path === "" ? paper : normalize(join(dirname(paper), path));
        return !existsSync(file) || (anchor !== undefined && !anchorsOf(file).includes(anchor));
      });
    expect(lost).toEqual([]);
  });

  test("each npm script that it names exists", () => {
    const named = [...textOf(paper).matchAll(/\bnpm run (?:-s )?([\w:-]+)/g)].map(([, name = ""]) => name);
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });

  test("each file that it names by its path exists", () => {
    const named = [...textOf(paper).matchAll(/`((?:src|test|manifests|policies)\/[\w./-]+?\.\w+)`/g)].map(
      ([, name = ""]) => name,
    );
    // Papers name files from the root or from their own folder.
    const lost = named.filter((name) => !existsSync(name) && !existsSync(join(dirname(paper), name)));
    expect(lost).toEqual([]);
  });
});

describe("settings", () => {
  test("each has a meaning, and no meaning is left of one that is gone", () => {
    expect(Object.keys(meanings).sort()).toEqual(
      settingLines()
        .map(({ name }) => name)
        .sort(),
    );
  });

  test("the table of manifests/README.md is the schema's (npm run settings-table writes it)", () => {
    const [, written] = /<!-- settings -->\n([\s\S]*)\n<!-- \/settings -->/.exec(textOf("manifests/README.md")) ?? [];
    expect(written).toBe(settingsTable());
  });

  test("what the schema requires is shown as required, and defaults as they are", () => {
    expect(settingsTable()).toMatch(/^\| `ALERTS_TOKEN` \| \*\*Required\*\* \|/m);
    expect(settingsTable()).toMatch(/^\| `PORT` \| `3000` \|/m);
    expect(settingsHelp()).toMatch(/^ {2}PORT +Port for .*\(default: 3000\)$/m);
  });
});

test("src/README.md shows each room of the house", () => {
  const map = textOf("src/README.md");
  const rooms = readdirSync("src", { withFileTypes: true }).flatMap((layer) =>
    layer.isDirectory() ? [layer.name, ...folders(join("src", layer.name))] : [],
  );
  expect(rooms.filter((room) => !map.includes(`${room}/`))).toEqual([]);
});

function folders(path: string): string[] {
  return readdirSync(path, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
}
