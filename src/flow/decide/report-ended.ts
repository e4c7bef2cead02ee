import { renderReport } from "../../domain/proposal/body/sticky.ts";
import { incidentTrailer } from "../../domain/proposal/pull-request.ts";
import type { Ports } from "../../ports/ports.ts";

/** How it ended, in the sticky comment of a pull request of which only the number is known. */
export async function reportEnded(
  { pull, incident }: { readonly pull: number; readonly incident: string },
  because: string,
  { github }: Pick<Ports, "github">,
): Promise<void> {
  const proposal = { number: pull, commitMessage: incidentTrailer(incident) };
  await github.report(proposal, renderReport({ state: "ended", because }));
}
