import { expect, test } from "vitest";
import { onlyObjectText } from "../../../src/domain/llm/json-object.ts";

const onlyObjectIn = (text: string): unknown => {
  const object = onlyObjectText(text);
  return object === undefined ? undefined : JSON.parse(object);
};

const answer = { cause: "c1", citing: ["e1"] };
const json = JSON.stringify(answer);

test.each([
  ["as it is", json],
  ["in a fence", `\`\`\`json\n${json}\n\`\`\``],
  ["in a fence without a language, after a sentence", `Here it is:\n\`\`\`\n${json}\n\`\`\`\nDone.`],
  ["after reasoning", `<think>maybe {"cause":"c2"}, or {} </think>\n${json}`],
  ["after reasoning whose opening the template swallowed", `maybe {"cause":"c2"}\n</think>\n\n${json}`],
  ["over several lines", JSON.stringify(answer, null, 2)],
  ["after braces that are no JSON", `The set {a, b} leads to ${json}`],
])("one object is found: %s", (_, text) => {
  expect(onlyObjectIn(text)).toEqual(answer);
});

test("braces and quotes within strings do not count", () => {
  expect(onlyObjectIn('so: {"a":"} \\" {"}')).toEqual({ a: '} " {' });
});

test.each([
  ["two objects", `${json}\n${json}`],
  ["two fences", `\`\`\`json\n${json}\n\`\`\`\n\`\`\`json\n{"cause":"c2"}\n\`\`\``],
  ["an object and another in the reasoning that never ended", `<think> {"cause":"c2"} ${json}`],
  ["one that is cut", json.slice(0, -1)],
  ["prose", "I do not know."],
  ["nothing", ""],
  ["a list of two", `the answers: [${json},${json}]`],
])("nothing is taken from %s", (_, text) => {
  expect(onlyObjectIn(text)).toBeUndefined();
});
