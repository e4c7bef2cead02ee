import { renderSealed, withdraw } from "../../domain/records/post-mortem.ts";
import { isOurs } from "../../domain/records/precedent.ts";
import type { Ports } from "../../ports/ports.ts";
import { postMortemPaths, readRecord } from "../../manifests/repository/post-mortem-files.ts";

/**
 * Brings Git up to what people withdrew: each post-mortem that does not say so yet goes along with the next pull request,
 * sealed anew, with the notes that people wrote. Looked at again and again: what was overwritten or lost comes back.
 */
export async function carryWithdrawals({ github, records, sealKey }: Pick<Ports, "github" | "records" | "sealKey">) {
  const withdrawals = await records.withdrawals();
  if (withdrawals.length === 0) return;
  const { tree } = await github.head();
  const paths = postMortemPaths(tree);
  for (const { incident, ...withdrawal } of withdrawals) {
    const isIts = (path: string) => path.endsWith(`-${incident}.md`);
    const pending = (await records.pendingFiles(incident)).find(({ path }) => isIts(path));
    const path = pending?.path ?? paths.find(isIts);
    if (path === undefined) continue;
    const read = readRecord(pending?.content ?? new TextDecoder().decode(tree.read(path)));
    if (read.kind === "problem" || !isOurs(read, sealKey) || read.postMortem.withdrawn !== null) continue;
    await records.addPendingFile(
      path,
      renderSealed(withdraw(read.postMortem, withdrawal), sealKey, read.notes),
      incident,
    );
  }
}
