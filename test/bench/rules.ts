import { readFileSync } from "node:fs";
import { basename } from "node:path";
import { rulesIn } from "../rules/alert-rules.ts";
import { figuresOf, type JudgedRule, judgeRule } from "../rules/judge-rules.ts";

/**
 * The alerting rules of files (of Prometheus, or PrometheusRules) against the bars for stock rules, and by name those that
 * miss one: `npm run -s bench:rules -- FILE…`. The exit code is 1 where a bar is missed.
 */
const leastMeasured = 0.9;
const all: JudgedRule[] = [];
for (const path of process.argv.slice(2)) {
  const judged: JudgedRule[] = [];
  for (const rule of rulesIn(readFileSync(path, "utf8"))) judged.push(await judgeRule(rule));
  console.log(JSON.stringify({ file: basename(path), ...figuresOf(judged) }));
  for (const { alert, concerns, leads, told, measured } of judged) {
    if (concerns && !leads) console.log(`  leads nowhere: ${alert}: ${told ?? "without a word"}`);
    if (leads && measured === "nothing") console.log(`  not measured: ${alert}`);
  }
  all.push(...judged);
}
const figures = figuresOf(all);
console.log(JSON.stringify({ file: "all", ...figures }));
const missed = figures.lead < figures.concern || figures.silent > 0 || figures.measuredShare < leastMeasured;
process.exitCode = missed ? 1 : 0;
