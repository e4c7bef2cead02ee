import { approve, approver, comment, passCi, pullOpened, rush, type Scenario } from "../../scenario.ts";
import { type LabRun, until } from "../../start.ts";

/** Whom the memory believes. */
export const memoryScenarios = {
  disputed: {
    about:
      "long after the incident ended, a person disputes it: it is no precedent any more, and the next change tells Git",
    run: async (run) => {
      const { rectify } = run;
      await rush(run);
      const pull = await pullOpened(run);
      await passCi(run, pull);
      await approve(run, pull);
      await until("the end", async () => (await rectify.store.incidents(1))[0]?.ending !== undefined, 180_000);
      const uid = (await rectify.store.incidents(1))[0]?.incident.uid ?? "";
      const refused = await comment(run, pull, { by: "visitor", body: "/dispute I do not believe it" });
      await reacted(run, refused);
      if ((await rectify.store.withdrawals()).length > 0) throw new Error("a visitor withdrew the incident");
      const heard = await comment(run, pull, { by: approver, body: "/dispute the cache was warm by then" });
      await reacted(run, heard);
      const carried = async () => (await rectify.store.pendingFiles(uid))[0]?.content.includes('"kind":"disputed"');
      await until("the withdrawal on its way to Git", carried);
    },
    expected: { ending: "recovered", merged: true, recovered: true, pulls: 1 },
  },
} satisfies Readonly<Record<string, Scenario>>;

async function reacted({ forge }: LabRun, id: number): Promise<void> {
  await until(`a reaction to comment ${id}`, () =>
    forge.calls.some(({ method, path }) => method === "POST" && path.includes(`/comments/${id}/reactions`)),
  );
}
