import { expect, test } from "vitest";
import { ledgerPath } from "../../../src/domain/records/autonomy.ts";
import { overlaid, treeOf } from "../../../src/domain/kubernetes/tree.ts";
import { showAutonomy } from "../../../src/flow/jobs/autonomy.ts";
import { pastFiles } from "../../../src/lab/forge/git/past.ts";
import type { Ports } from "../../../src/ports/ports.ts";
import { autonomyPage } from "../../../src/server/pages/autonomy.ts";

const sealKey = "a key for tests only";

function view(files: Readonly<Record<string, string>>) {
  const rules = JSON.stringify({ autoMerge: "low-risk", namespaces: ["shop-production"] });
  const tree = overlaid(treeOf({ ".github/rectify.yml": rules }), files);
  const head = async () => ({ sha: "a", tree });
  const ports = { sealKey, github: { head }, records: { pendingFiles: async () => [], withdrawals: async () => [] } };
  return showAutonomy(ports as unknown as Ports);
}

const past = (count: number, key = sealKey) => pastFiles(count, new Date("2026-11-24T00:00:00Z"), key);

test.each<[string, Record<string, string>, RegExp]>([
  ["earned", past(3), /3 of 3<\/td><td[^>]*>0<\/td><td[^>]*class="good">unlocked/],
  ["on the way", past(2), /2 of 3<\/td>[\s\S]*class="wait">earning/],
  ["forged", past(3, "made up"), /0 of 3<\/td>[\s\S]*earning[\s\S]*prove 0[\s\S]*unsealed: it does not carry our seal/],
  ["unreadable", { [ledgerPath]: "entries: 3" }, /entries: Invalid input/],
  ["empty", {}, /Nothing was earned yet/],
  ["switched off", { ".github/rectify.yml": "autoMerge: never" }, /allow no auto-merge/],
])("the page of a ledger that is %s says so", async (_, files, words) => {
  expect(await autonomyPage(await view(files))).toMatch(words);
});
