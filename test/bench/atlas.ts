import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { readFault } from "../../src/lab/faults/fault-file.ts";
import { judgeFault, type Judged } from "../../src/lab/faults/judge-fault.ts";
import { runQuickly } from "../../src/lab/faults/quick.ts";

// `npm run -s bench:atlas [-- DIR or FILE …]`: every fault file, run through the whole line in this process.
const places = process.argv.slice(2).filter((one) => !one.startsWith("--"));
const explain = process.argv.includes("--explain");
const files = (places.length === 0 ? ["test/faults-atlas"] : places).flatMap((place) =>
  statSync(place).isDirectory()
    ? readdirSync(place)
        .filter((name) => /\.(?:ya?ml|json)$/.test(name) && !/schema/.test(name))
        .sort()
        .map((name) => join(place, name))
    : [place],
);

const rows: { readonly file: string; readonly judged: Judged | undefined; readonly ms: number }[] = [];
for (const file of files) {
  const begun = Date.now();
  const read = readFault(readFileSync(file, "utf8"));
  if (!read.ok) {
    process.stderr.write(`${file}: ${read.problems.join("; ")}\n`);
    rows.push({ file, judged: undefined, ms: 0 });
    continue;
  }
  try {
    const ran = await runQuickly(read.fault);
    const judged = judgeFault(read.fault, ran);
    const ms = Date.now() - begun;
    rows.push({ file, judged, ms });
    process.stderr.write(
      `${judged.differs.length === 0 ? "ok   " : "DIFF "} ${file} ${ms} ms ${judged.differs.join("; ")}\n`,
    );
    if (explain && judged.differs.length > 0)
      process.stderr.write(
        `${ran.told.map((line) => `      ${line}\n`).join("")}      ${ran.outcome?.because ?? ""}\n`,
      );
  } catch (error) {
    process.stderr.write(`FAIL  ${file}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    rows.push({ file, judged: undefined, ms: Date.now() - begun });
  }
}

const judged = rows.flatMap((row) => (row.judged === undefined ? [] : [row.judged]));
const count = (holds: (one: Judged) => boolean) => judged.filter(holds).length;
const isRefusal = (one: Judged) => one.remedy === "refused" || one.remedy === "none";
process.stdout.write(
  `${JSON.stringify({
    faults: files.length,
    rightRemedy: count((one) => one.right && !isRefusal(one)),
    rightRefusal: count((one) => one.right && isRefusal(one)),
    rightCause: count((one) => one.causeRight === true),
    wrongRemedy: count((one) => one.wrongRemedy),
    healed: count((one) => one.healed),
    missed: count((one) => one.missed) + (files.length - judged.length),
    seconds: Math.round(rows.reduce((sum, { ms }) => sum + ms, 0) / 1000),
  })}\n`,
);
process.exit(0);
