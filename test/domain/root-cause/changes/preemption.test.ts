import { expect, test } from "vitest";
import { symptomsIn } from "../../../../src/domain/root-cause/changes/symptoms.ts";
import { evidenceFrom, text } from "../../incident/incident-fixture.ts";

const kindsIn = (line: string) => symptomsIn(evidenceFrom([["events", text(line)]])).map(({ kind }) => kind);

// As the scheduler writes it of every pod that it finds no node for.
test.each([
  "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found for incoming pod.",
  "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector. preemption: 0/3 nodes are available: 3 Preemption is not helpful for scheduling.",
])("a pod that finds no node was not preempted: %s", (said) => {
  expect(kindsIn(`Warning FailedScheduling web-5d4f6c7b8-x2x9p: ${said}`)).toEqual(["unschedulable"]);
});

test("a pod that had to go was", () => {
  expect(kindsIn("Normal Preempted web-5d4f6c7b8-x2x9p: Preempted by pod 9f2 on node node-2")).toEqual(["preempted"]);
});
