import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { chartTools } from "../../src/adapters/cli-tools/charts.ts";
import { renderer } from "../../src/adapters/cli-tools/renderer.ts";
import { directoryTree } from "../../src/adapters/cli-tools/directory-tree.ts";
import { ask, emptyTally, questionsOf, summary, type Tally, toolPaths } from "./survey-asking.ts";
import { readsOf, renderUnit, type Unit, unitsOf } from "./survey-judge.ts";
import type { World } from "./survey-reasons.ts";

/** Asks every rendered workload of repositories for what Rectify can change, and judges each answer like a stranger. */
const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    units: { type: "string", default: "0" },
    kind: { type: "string" },
    only: { type: "string", default: "" },
    seconds: { type: "string", default: "0" },
    workloads: { type: "string", default: "0" },
    verbose: { type: "boolean", short: "v" },
  },
});
if (positionals.length === 0)
  throw new Error(
    "usage: bench:survey -- [--units N] [--workloads N] [--seconds N] [--kind chart|kustomize] [-v] DIR…",
  );

const tools = toolPaths();
const charts = chartTools({ helm: tools.helm, limits: { timeLimitMs: 20_000, scratch: tmpdir() } });
const entries = renderer({ kustomize: tools.kustomize, kubectl: null, helm: tools.helm });
const asking = { charts, render: entries.render.bind(entries), verbose: options.verbose === true };

const tallies: Record<Unit["kind"], Tally> = { chart: emptyTally(), kustomize: emptyTally() };

async function survey(directory: string): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), "rectify-survey-"));
  const root = join(scratch, basename(directory));
  cpSync(directory, root, { recursive: true, verbatimSymlinks: true });
  try {
    const all = unitsOf(root, tools);
    const readers = all.map((unit) => ({ unit, reads: readsOf(root, unit) }));
    const tree = directoryTree(root);
    for (const kind of ["kustomize", "chart"] as const) {
      if (options.kind !== undefined && options.kind !== kind) continue;
      await sample(
        all.filter((unit) => unit.kind === kind && new RegExp(options.only).test(unit.directory)),
        (unit) => askUnit({ root, unit, readers, tree, tools }),
      );
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** When the time for one kind of unit is over. */
let until = Infinity;

/** All units, or as many that ask something as wanted, from all over the repository: always the same ones. */
async function sample(units: readonly Unit[], work: (unit: Unit) => Promise<boolean>): Promise<void> {
  const most = Number(options.units) || units.length;
  until = Number(options.seconds) > 0 ? Date.now() + Number(options.seconds) * 1000 : Infinity;
  const step = Math.max(1, Math.floor(units.length / most));
  const order = units.map((_, n) => n).sort((a, b) => (a % step) - (b % step) || a - b);
  let asked = 0;
  for (const n of order) {
    const unit = units[n];
    if (unit === undefined || asked >= most || Date.now() > until) break;
    if (await work(unit)) asked += 1;
  }
}

/** True when the unit asked something. */
async function askUnit(place: Omit<World, "objects">): Promise<boolean> {
  const tally = tallies[place.unit.kind];
  const objects = renderUnit(place.root, place.unit, tools);
  if (objects === undefined) {
    tally.unrendered += 1;
    return false;
  }
  tally.releases += 1;
  const questions = [...objects.values()]
    .map((object) => questionsOf(object, objects))
    .filter((some) => some.length > 0);
  const most = Number(options.workloads) || questions.length;
  for (const asked of questions.slice(0, most).flat())
    if (Date.now() < until) await ask({ ...place, objects }, asked, { tally, asking });
  return questions.length > 0;
}

for (const directory of positionals) await survey(directory);
console.log(JSON.stringify({ charts: summary(tallies.chart), withoutCharts: summary(tallies.kustomize) }));
process.exitCode = tallies.chart.harmful.length + tallies.kustomize.harmful.length > 0 ? 1 : 0;
