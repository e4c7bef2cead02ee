import type { Store } from "../../../adapters/postgres/store.ts";
import { courseOf } from "../../../domain/incident/alert.ts";
import { endingsWithoutResult } from "../../../domain/incident/reexamination.ts";
import { renderReport } from "../../../domain/proposal/body/sticky.ts";
import { keepNewest } from "../../../domain/text/keep-newest.ts";
import { reportEnded } from "../../../flow/decide/report-ended.ts";
import { unlessShut } from "../../../ports/errors.ts";
import type { Ports } from "../../../ports/ports.ts";
import { proposalOnRecord } from "../shadow/withdraw-shadowed.ts";
import { eachApart } from "../../../adapters/http/repeat.ts";

interface Tending {
  readonly store: Pick<Store, "incident" | "incidentOfPull" | "alertsOf" | "followedBy">;
  readonly ports: Pick<Ports, "github" | "clock" | "telemetry" | "timings">;
}

// It costs a question, and what it finds is hours old already.
const everyMs = 5 * 60_000;
const mostRemembered = 1_000;

/**
 * What is open while nobody is at work on it: its workflow was parked while GitHub could not be told. Where its alert is over it
 * is closed, as its workflow would have done: open, it would also keep the next proposal for its workload out. Otherwise its
 * comment says that nobody follows it. A look that failed is made again with the next beat.
 */
export function tendLeftOpen({ store, ports }: Tending): () => Promise<void> {
  const { github, clock, telemetry } = ports;
  let lookedAt = Number.NEGATIVE_INFINITY;
  const closed = new Map<number, true>();
  const tell = ({ number }: Open, because: string) =>
    telemetry.log(
      "",
      "left open",
      `#${number} is open with nobody at work on it, and could not be told so: ${because}`,
    );
  return async () => {
    const now = clock.now();
    if (now.getTime() - lookedAt < everyMs) return;
    // By its author: where its opening was cut, it has no label, and nobody has put it on record.
    const open = await github.openProposals();
    await eachApart(
      open,
      async (one) => {
        // Who opens it again wants it open.
        if (closed.has(one.number) || !(await isClosedNow(one, now, { store, ports }))) return;
        keepNewest(closed, one.number, true, mostRemembered);
      },
      tell,
    );
    lookedAt = now.getTime();
  };
}

type Open = Awaited<ReturnType<Ports["github"]["openProposals"]>>[number];

/** Sees to one of them; true when it closed it. */
async function isClosedNow({ number, incident }: Open, now: Date, { store, ports }: Tending): Promise<boolean> {
  const uid = (await store.incidentOfPull(number))?.uid ?? incident;
  if (uid === undefined) return false;
  const followed = await store.followedBy(uid);
  const record = followed === "somebody" ? undefined : await store.incident(uid);
  // Another Rectify's of this repository is on no record here.
  if (record?.ending === undefined) return false;
  const { github, telemetry, timings } = ports;
  // Its workflow may have closed it and ended since it was listed.
  if ((await github.stateOf({ number })).state !== "open") return false;
  const ended = `${record.ending}: ${record.because ?? ""}`;
  const isOver = courseOf(await store.alertsOf(uid), now, timings.lingerMs) === "over";
  // What reverts a merged change is not pointless because the alert is gone, and what a person had closed and opened
  // again is theirs.
  if (!isOver || followed !== "nobody" || !endingsWithoutResult.includes(record.ending)) {
    await unlessShut(reportEnded({ pull: number, incident: uid }, `${ended}. ${unfollowed}`, ports));
    return false;
  }
  const because = `the alert is over, and nobody is at work on this any more (${ended})`;
  const proposal = proposalOnRecord(record, number);
  const close = async () => {
    await github.report(proposal, renderReport({ state: "closed", because }));
    await github.close(proposal);
    return true;
  };
  // Shadow mode withdraws its own.
  const isClosed = (await unlessShut(close())) === true;
  if (isClosed) telemetry.log(uid, "left open", `closed #${number}: ${because}`);
  return isClosed;
}

const unfollowed =
  "Nobody is at work on this pull request now: a person merges or closes it, or the next examination of its alert goes on with it";
