import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Command, commandWords, parseCommands, replicasProblem } from "../../../src/domain/guardrails/command.ts";

const hold: Command = { kind: "hold", reason: "" };

describe("commands", () => {
  test.each<[string, Command[]]>([
    ["/approve", [{ kind: "approve" }]],
    ["/approve-scale", [{ kind: "approve-scale" }]],
    ["/approve-scale 6", [{ kind: "approve-scale", replicas: 6 }]],
    ["/approve-scale   6  ", [{ kind: "approve-scale", replicas: 6 }]],
    ["/reject the peak is over", [{ kind: "reject", reason: "the peak is over" }]],
    ["/reject", [{ kind: "reject", reason: "" }]],
    ["/hold until the release", [{ kind: "hold", reason: "until the release" }]],
    ["/resume", [{ kind: "resume" }]],
    ["/retry", [{ kind: "retry" }]],
    ["/rollback", [{ kind: "rollback" }]],
    ["/explain", [{ kind: "explain" }]],
    ["/dispute it was the database", [{ kind: "dispute", reason: "it was the database" }]],
    ["/forget", [{ kind: "forget" }]],
    ["/help", [{ kind: "help" }]],
    ["Looks right to me.\n/hold", [hold]],
    ["/hold\r\n/resume\r\n", [hold, { kind: "resume" }]],
    ["/hold\n/hold\n/hold\n/hold", [hold, hold, hold]],
    ["```\nlog\n```\n/hold", [hold]],
    ["~~~ text\n```\n~~~\n/hold", [hold]],
    ["<!-- note -->\n/hold", [hold]],
    ["<!--\nnote\n-->\n/hold", [hold]],
    ["> quoted\n\n/hold", [hold]],
    ["/hold\n<!-- added by a tracker -->", [hold]],
    ["/hold <!-- added by a tracker -->", [hold]],
    ["/hold<!-- one --> <!-- two -->", [hold]],
    ["/approve-scale 6 <!-- linear:1 -->\n/hold", [{ kind: "approve-scale", replicas: 6 }, hold]],
    ["LGTM 👍\n/hold\nthe peak is over", [hold]],
    ["I have looked at every dashboard that we have for it\n/hold", [hold]],
    ["| a | b |\n|---|---|\n| 1 | 2 |\n\n/hold", [hold]],
    ["# Checked\n\n/hold", [hold]],
    ["- item\n\n/hold", [hold]],
    ["/hold\n\nOn Tue, Nov 24, 2026 at 3:00 AM Jane <jane@example.com> wrote:\n> /resume", [hold]],
    ["/hold\n-- \nJane", []],
    ["/hold\n\n-- \nJane", [hold]],
    ["/hold\n\nSent from my iPhone", [hold]],
    ["I sent it from: the train\n\n/hold", [hold]],
  ])("%j is understood", (body, commands) => {
    expect(parseCommands(body)).toEqual(commands);
  });

  test.each([
    ["a quote", "> /hold"],
    ["the line that a quote draws in", "> quoted\n/hold"],
    ["a fence", "```\n/hold\n```"],
    ["a long fence", "`````\n```\n/hold\n`````"],
    ["a fence of tildes", "~~~\n/hold\n```\n/hold\n~~~"],
    ["a fence that never closes", "```\n/hold"],
    ["a fence closed with text behind it", "```\n``` x\n/hold\n```"],
    ["a fence in a list", "- ```\n  x\n/hold"],
    ["a fence that a list only seems to open", "    ```\n\n```\n/hold\n```"],
    ["indented code", "    /hold"],
    ["a tab", "\t/hold"],
    ["one space", " /hold"],
    ["inline code", "`/hold`"],
    ["inline code over lines", "see `x\n/hold\n`"],
    ["inline code over a line with a form feed", "see `x\n\f\n/hold\n`"],
    ["an HTML comment", "<!--\n/hold\n-->"],
    ["an HTML comment that begins in a line", "see <!--\n/hold\n-->"],
    ["an HTML comment that ends at once", "<!-->\n```\nx -->\n/hold\n```"],
    ["details", "<details>\n\n/hold\n\n</details>"],
    ["a block of HTML", "<div>\n/hold\n</div>"],
    ["an attribute over lines", 'see <a title="\n/hold\n">x</a>'],
    ["the title of a link", '[x](y "\n/hold\n")'],
    ["a table", "| a |\n|---|\n/hold"],
    ["a list item", "- item\n/hold"],
    ["the middle of a line", "please /hold"],
    ["a zero-width space before it", "\u200b/hold"],
    ["a zero-width space behind it", "/hold\u200b"],
    ["a full-width slash", "／hold"],
    ["a path", "/etc/passwd"],
    ["a heading underlined by =", "/hold\n==="],
    ["a heading underlined by =, drawn in", "/hold\n   =  "],
    ["a heading underlined by -", "/hold\n---"],
    ["a heading of two lines", "/hold\nmore\n==="],
    ["the head of a table", "/hold\n|---|\n| x |"],
    ["the head of a table with a mark of alignment", "/hold\n:-:\nx"],
    ["struck text over lines", "~~not now\n/hold\nno~~"],
    ["a formula", "$$\n\n/hold\n\n$$"],
    ["a nested list", "- a\n  - b\n/hold"],
    ["a numbered list", "1) a\n/hold"],
    ["a footnote", "[^1]: see\n/hold"],
    ["a text for a picture", "![x\n/hold\n](y)"],
    ["an open details with a summary", "<details><summary>log</summary>\n\n/hold"],
    ["what a word with a colon shows", "Jane, please write:\n\n/hold"],
    ["what a word with a colon shows, at once", "To stop it:\n/hold"],
    ["what a word with a wide colon shows", "请输入：\n\n/hold"],
    ["the middle of a wrapped sentence", `${"word ".repeat(11)}\n/hold\nis not what we want`],
    ["the middle of a sentence", "do not write\n/hold\nbefore Monday"],
    ["a mark inside an HTML comment", "/hold <!-->-->"],
    ["a comment that never closes", "/hold <!-- x"],
    ["what is quoted with initials", "JD> please write\n/hold"],
    ["what is quoted with an entity", "&gt; please write\n/hold"],
    ["what is quoted with a mark of another language", "» please write\n/hold"],
    ["our own text", "<!-- rectify:report -->\n/hold"],
    ["our own text in the middle", "/hold\n<!-- rectify:report -->"],
  ])("in %s there is none", (_, body) => {
    expect(parseCommands(body)).toEqual([]);
  });

  test.each([
    "On Tue, Nov 24, 2026 at 3:00 AM Jane <jane@example.com> wrote:",
    "On Tue, Nov 24, 2026 at 3:00 AM Jane\nwrote:",
    "On Nov 24, 2026, at 03:00, rectify[bot]\n<notifications@github.com> wrote:",
    "Jane Doe wrote:",
    "Am 24.11.26 um 03:00 schrieb Jane:",
    "Am Di., 24. Nov. 2026 um 03:00 Uhr schrieb Jane <jane@example.com>:",
    "Le mar. 24 nov. 2026 à 03:00, Jane <jane@example.com> a écrit :",
    "El mar, 24 nov 2026 a las 3:00, Jane (<jane@example.com>) escribió:",
    "Il giorno mar 24 nov 2026 alle ore 03:00 Jane ha scritto:",
    "Em ter., 24 de nov. de 2026 às 03:00, Jane <jane@example.com> escreveu:",
    "Op di 24 nov 2026 om 03:00 schreef Jane <jane@example.com>:",
    "Den tis 24 nov. 2026 kl 03:00 skrev Jane <jane@example.com>:",
    "wt., 24 lis 2026 o 03:00 Jane <jane@example.com> napisał(a):",
    "вт, 24 нояб. 2026 г. в 03:00, Jane <jane@example.com>:",
    "2026年11月24日(火) 3:00 Jane <jane@example.com>:",
    "Jane <jane@example.com> 于2026年11月24日周二 03:00写道：",
    "2026년 11월 24일 (화) 오전 3:00, Jane <jane@example.com>님이 작성:",
    "בתאריך יום ג׳, 24 בנוב׳ 2026 ב-3:00 מאת Jane <‪jane@example.com‬‏>:‬",
    "-----Original Message-----",
    "----- Ursprüngliche Nachricht -----",
    "---------- Forwarded message ---------",
    "-------- Message transféré --------",
    "________________________________",
    "*****",
    "Begin forwarded message:",
    "From: Jane Doe\nSent: Tuesday, November 24, 2026 3:00 AM",
    "*From:* Jane",
    "Von: Jane\nGesendet: Dienstag, 24. November 2026 03:00",
    "De : Jane\nEnvoyé : mardi 24 novembre 2026 03:00",
    "发件人: Jane",
    "Reply-To: jane@example.com",
    "-- ",
    "--",
    "—",
    "— \nReply to this email directly or view it on GitHub",
    "Sent from my iPhone",
    "Von meinem iPhone gesendet",
    "Get Outlook for iOS",
  ])("below %j there is none", (line) => {
    for (const gap of ["\n", "\n\n", "\n\n> quoted\n\n"]) {
      expect(parseCommands(`Fine.\n\n${line}${gap}/hold`)).toEqual([]);
      expect(parseCommands(`${line}${gap}/approve-scale\r\n`)).toEqual([]);
    }
    expect(parseCommands(`/hold\n\n${line}\nx`)).toEqual([hold]);
  });

  test.each(["500x", "-1", "0", "1e3", "６", "5;rm -rf", "6 7", "/reject", "9".repeat(4096)])(
    "/approve-scale %j is answered without repeating it",
    (argument) => {
      const [command] = parseCommands(`/approve-scale ${argument}`);
      expect(command).toEqual({
        kind: "invalid",
        word: "approve-scale",
        problem: "takes nothing or one whole number of replicas, such as 6",
      });
    },
  );

  test("a reason is one visible line of at most 300 characters", () => {
    const [command] = parseCommands(`/reject a\u202eb\u0007c${"x".repeat(4096)}`);
    expect(command?.kind === "reject" && command.reason.startsWith("abcx")).toBe(true);
    expect(command?.kind === "reject" && command.reason.length).toBe(300);
  });

  test("/approve takes no number", () => {
    expect(parseCommands("/approve 5")).toEqual([
      { kind: "invalid", word: "approve", problem: "takes no argument: /approve-scale takes a number of replicas" },
    ]);
  });

  test.each<[string, Command]>([
    ["/aprove-scale", { kind: "unknown", word: "aprove-scale", didYouMean: "approve-scale" }],
    ["/aprove", { kind: "unknown", word: "aprove", didYouMean: "approve" }],
    ["/Hold", { kind: "unknown", word: "Hold", didYouMean: "hold" }],
    ["/lgtm", { kind: "unknown", word: "lgtm" }],
    ["/assign @me", { kind: "unknown", word: "assign" }],
  ])("%s is not one of ours", (body, command) => {
    expect(parseCommands(body)).toEqual([command]);
  });

  test("no text makes the parser fail or give more than three", () => {
    const piece = fc.oneof(
      fc.constantFrom("```", "~~~", ">", "<!--", "-->", "\n", "\r\n", "\n\n", " ", "`", "<details>", "- "),
      fc.constantFrom(...commandWords.map((word) => `/${word}`)),
      fc.string({ maxLength: 5 }),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
        expect(parseCommands(pieces.join("")).length).toBeLessThanOrEqual(3);
      }),
    );
  });

  test("nothing inside a fence or a quote ever counts, whatever it is", () => {
    const line = fc.string({ maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, ""));
    const lines = fc.array(fc.oneof(line, fc.constantFrom(...commandWords.map((word) => `/${word}`))), {
      maxLength: 10,
    });
    fc.assert(
      fc.property(lines, (texts) => {
        expect(parseCommands(texts.map((text) => `> ${text}`).join("\n"))).toEqual([]);
        const fenced = texts.filter((text) => !/^ {0,3}`{40,}/.test(text));
        expect(parseCommands(["`".repeat(40), ...fenced, "`".repeat(40)].join("\n"))).toEqual([]);
      }),
    );
  });
});

test.each([
  [1, undefined],
  [10, undefined],
  [0, /from 1 to 10/],
  [500, /from 1 to 10/],
  [2.5, /from 1 to 10/],
])("%s replicas within 1 to 10", (replicas, problem) => {
  const said = replicasProblem(replicas, { minReplicas: 1, maxReplicas: 10 });
  if (problem === undefined) expect(said).toBeUndefined();
  else expect(said).toMatch(problem);
});
