import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { parseCommands } from "../../../src/domain/guardrails/command.ts";
import { defused, inert, inertCode } from "../../../src/domain/text/inert.ts";
import { readTrailer } from "../../../src/domain/proposal/pull-request.ts";
import { liveInPlain, liveMarkup } from "../../live-markup.ts";

describe("the judge of these tests", () => {
  test.each([
    ["@user please", "mention"],
    ["by &#64;user", "mention"],
    ["by &commat;user", "mention"],
    ["`x` @org/team", "mention"],
    ["see #12", "reference"],
    ["see o/r#12", "reference"],
    ["see GH-12", "reference"],
    ["fixes #1", "closing keyword"],
    ["`fixes #1`", "closing keyword"],
    ["<img src=x>", "HTML"],
    ["</details>", "HTML"],
    ["![x](y)", "link or image"],
    ["[x](y)", "link or image"],
    ["https://x.example", "link"],
    ["www.x.example", "link"],
    ["a@b.example", "link"],
    ["a\n/approve-scale", "command"],
    ["```\n@user\n```", "mention"],
    ["[skip ci]", "CI switch"],
    ["`[ci skip]`", "CI switch"],
    ["x\nCo-authored-by: a", "trailer"],
    ["a\u202eb", "bidirectional or invisible sign"],
    [":shipit:", "emoji"],
    ["$x$", "math"],
  ])("sees what is live in %j", (markdown, name) => {
    expect(liveMarkup(markdown)).toContain(name);
  });

  test.each([
    "plain words, 10:20:30",
    "`<img>` and `a #1`",
    "```\n<img>\n[x](y)\n```",
    "| a | `b` |",
    "`/help` lists all",
  ])("sees nothing in %j", (markdown) => {
    expect(liveMarkup(markdown)).toEqual([]);
  });
});

const hostile = [
  "@org/team and @user, @-x, _@user, é@user, @@user",
  "fixes #1, closes o/r#2, resolves: GH-3, Fixes https://github.com/o/r/issues/4",
  "[skip ci] [CI SKIP] [no\u00a0ci] [skip actions] ***NO_CI*** skip-checks: true",
  "Co-authored-by: A <a@b.example>",
  "Signed-off-by: A <a@b.example>",
  "Incident-UID: 00000000-0000-5000-8000-000000000000",
  "Effect: 0000",
  "/approve-scale 50",
  " \u200b/approve-scale",
  "// /approve",
  "```",
  "``````````",
  "` `` ``` ````",
  "~~~",
  "</details></td></table><img src=https://x.example/p><script>1</script>",
  "<!-- rectify:report --> <!-- x",
  "![p](https://x.example/p?d=1) [a](javascript:alert(1)) <https://x.example> [b]: https://x.example",
  "http://x.example HTTPS://X.EXAMPLE ftp://x www.x.example mailto:a@b.example xmpp:a@b.example",
  "a@b.example",
  "&#64;user &commat;user &num;1 &lt;img&gt; &colon;",
  "\\@user \\#1 \\`",
  "# title",
  "- item",
  "1. item",
  "1) item",
  "> quote",
  "=====",
  "---",
  "| a | b |\n|---|---|\n| c | d |",
  "a\u202eb\u2066c\u200bd\ufeff e\u00ad f\u{e0041}",
  "z\u0301\u0301\u0301\u0301\u0301\u0301\u0301\u0301",
  "\ud800 \udfff \u0000 \u001b[31m",
  "@\u200buser #\u200b1 fix\u200bes #1 [skip\u200b ci] ht\u200btp://x.example",
  "xskip-checks: true xhttp://x.example nwww.x.example",
  ":shipit: :+1: 10:20:30",
  ":+1: first",
  "> /hold",
  "> > // >/hold",
  "$\\href{x}{y}$ $$a$$",
  "line one\nline two\r\n/approve-scale\u2028/reject",
  "**bold** _em_ ~~gone~~ *a* __b__",
  "[ ] task [^1] [!NOTE]",
];

describe.each(hostile)("%j", (text) => {
  test("is inert in a sentence, a table, code, a block, a title and a commit message", () => {
    expect(liveMarkup(inert(text))).toEqual([]);
    expect(liveMarkup(`- ${inert(text)}\n> ${inert(text)}`)).toEqual([]);
    expect(liveMarkup(inertCode(text))).toEqual([]);
    expect(liveInPlain(defused(text))).toEqual([]);
    expect(liveInPlain(`subject\n\n${defused(text)}`)).toEqual([]);
  });

  test("stays on one line, and in one cell of a table", () => {
    for (const shown of [inert(text), inertCode(text), defused(text)]) expect(shown).not.toMatch(/[\n\r\u2028\u2029]/);
    for (const shown of [inert(text), inertCode(text)]) expect(shown).not.toContain("|");
  });

  test("holds no command and no trailer of ours", () => {
    const texts = [inert(text), defused(text), inertCode(text)];
    for (const shown of texts) {
      expect(parseCommands(shown)).toEqual([]);
      expect(readTrailer(`subject\n\n${shown}`, "Effect")).toBeUndefined();
      expect(readTrailer(`subject\n\n${shown}`, "Incident-UID")).toBeUndefined();
    }
  });
});

test("whatever the text is, nothing in it is live", () => {
  const piece = fc.oneof(
    fc.constantFrom(...hostile),
    fc.constantFrom(
      "@",
      "#1",
      "`",
      "<",
      "[",
      "](",
      "/",
      "\n",
      "&",
      ":",
      "fixes ",
      "http",
      "://",
      "www.",
      "GH-",
      "\u200b",
      "-->",
    ),
    fc.string({ unit: "binary", maxLength: 8 }),
  );
  const text = fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join(""));
  fc.assert(
    fc.property(text, (given) => {
      expect(liveMarkup(inert(given))).toEqual([]);
      expect(liveMarkup(`| ${inertCode(given)} | ${inert(given)} |`)).toEqual([]);
      expect(liveInPlain(defused(given))).toEqual([]);
    }),
    { numRuns: 150 },
  );
});

test.each([
  ["upstream timed out after 30 s (10.0.0.1:8080)", "upstream timed out after 30 s (10.0.0.1:8080)"],
  ["CPU 97 %, 3 of 3 pods ready; see E4", "CPU 97 %, 3 of 3 pods ready; see E4"],
  ["ask @web", "ask ＠web"],
  ["see issue #12", "see issue &#35;12".replace("&#35;", "＃")],
])("stays readable: %j", (text, shown) => {
  expect(inert(text)).toBe(shown);
});

test("keeps image digests and addresses as they are in code", () => {
  expect(inertCode("web@sha256:9f86d081")).toBe("`web@sha256:9f86d081`");
});

test("is cut at the wanted length, not within a sign", () => {
  expect(defused("💥".repeat(50), 10)).toBe(`${"💥".repeat(9)}…`);
  expect([...defused("x".repeat(5000))]).toHaveLength(1000);
});

test.each([
  "/".repeat(100_000),
  "@".repeat(100_000),
  "a@".repeat(50_000),
  "gh-".repeat(30_000),
  "-->".repeat(30_000),
  "a-".repeat(50_000),
])(
  "a hostile text of 100 KB is rendered without freezing (%#)",
  (text) => {
    expect(liveMarkup(inert(text))).toEqual([]);
  },
  2_000,
);

test.each([
  "[skip netlify]",
  "[Render Skip]",
  "[CF-Pages-Skip]",
  "[skip azurepipelines]",
  "BREAKING CHANGE: x",
  "breaking-change #1",
  "Release-As: 9.0.0",
  "&#64;user",
  "&commat;user",
  "&#x23;1",
])("%j has no effect in a title or a commit message", (text) => {
  expect(defused(`so ${text}`)).not.toMatch(/\[[^\]]*skip[^\]]*\]|(?:change|release-as)\s*[:#]|&#|&\w+;/i);
  expect(defused(text)).toContain(text.replace(/\W/g, " ").trim().split(" ").at(-1));
});
