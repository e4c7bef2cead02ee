import { renderCost } from "./cost.ts";
import type { Incident } from "./incident.ts";
import { renderRemediation } from "./remediation.ts";
import type { Story } from "./story.ts";

/** The line from alert to outcome, in its order: a name and a value for each part that exists. */
export function lineageOf(incident: Incident, story: Story | undefined): readonly (readonly [string, string])[] {
  const lines: [string, string | undefined][] = [
    ["Incident-UID", incident.uid],
    ["Trace", incident.traceId],
    ["Alert", `${incident.alert.name} since ${incident.startedAt}`],
    ["Cause", story?.cause?.sentence],
    ["Change", story?.remediation && renderRemediation(story.remediation)],
    ["Effect", story?.effect?.hash],
    ["Cost", story?.cost && renderCost(story.cost)],
    ["Pull request", story?.proposal?.url],
    ["Merged as", story?.mergedSha],
    ["Synced", story?.syncedSha],
    ["Verification", story?.verification && `${story.verification.kind}: ${story.verification.because}`],
    ["Reverted by", story?.revert?.proposal?.url],
  ];
  return lines.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
}
