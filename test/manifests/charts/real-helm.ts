import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { chartTools } from "../../../src/adapters/cli-tools/charts.ts";

const script = fileURLToPath(new URL("../../tools/build.sh", import.meta.url));
const path = spawnSync("bash", [script, "--where", "helm"], { encoding: "utf8" }).stdout.trim();

/** The pinned Helm, if `test/tools/build.sh helm` has built it. */
export const helm = existsSync(path) ? path : undefined;

/** Real renderings; `rendered` counts those that Helm was really started for. */
export function realCharts() {
  const tools = chartTools({ helm: helm ?? "", limits: { timeLimitMs: 60_000, scratch: tmpdir() } });
  const asked = { renderings: 0 };
  return {
    asked,
    tools: {
      ...tools,
      template: (build: Parameters<typeof tools.template>[0]) => {
        asked.renderings += 1;
        return tools.template(build);
      },
    },
  };
}
