import { readFileSync, writeFileSync } from "node:fs";
import { settingsTable } from "../../src/settings/settings-table.ts";

/** Writes the table of settings into the paper of the installation. */
const paper = "manifests/README.md";
const written = readFileSync(paper, "utf8").replace(
  /<!-- settings -->[\s\S]*<!-- \/settings -->/,
  () => `<!-- settings -->\n${settingsTable()}\n<!-- /settings -->`,
);
writeFileSync(paper, written);
