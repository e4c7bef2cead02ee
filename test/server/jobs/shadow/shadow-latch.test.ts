import { describe, expect, test } from "vitest";
import { treeOf } from "../../../../src/domain/kubernetes/tree.ts";
import { Unavailable } from "../../../../src/ports/errors.ts";
import { aLatch } from "../../../latch.ts";

const head = (guardrails: string | undefined) => async () => ({
  sha: guardrails ?? "none",
  tree: treeOf(guardrails === undefined ? {} : { ".github/rectify.yml": guardrails }),
});

const opening = "open pull request";
const dashboard = "update issue";
const shop = { alert: "HighLatency", namespaces: ["shop"], remedy: undefined };

describe("the last door", () => {
  test("lets nothing out but the dashboard, and not that where it is off", async () => {
    const on = aLatch(head("mode: shadow\n"));
    expect(await on.refusal(opening)).toContain("shadow mode");
    expect(await on.refusal(dashboard)).toBeUndefined();
    const off = aLatch(head("mode: shadow\ndashboard: false\n"));
    expect(await off.refusal(dashboard)).toContain("shadow mode");
  });

  test("is open where everything is live, and where there are no guardrails yet", async () => {
    for (const text of ["mode: live\n", undefined])
      expect(await aLatch(head(text), { subject: shop }).refusal(opening)).toBeUndefined();
  });

  test.each([
    ["another namespace", "modes: [{ namespace: other, mode: shadow }]\n", false],
    ["its namespace", "modes: [{ namespace: shop, mode: shadow }]\n", true],
    ["its alert", "modes: [{ alert: HighLatency, mode: shadow }]\n", true],
    ["one remedy of several, while nobody knows which it is", "modes: [{ remedy: scale, mode: shadow }]\n", false],
    ["all but one remedy", "mode: shadow\nmodes: [{ remedy: scale, mode: live }]\n", false],
    ["all but another alert", "mode: shadow\nmodes: [{ alert: Other, mode: live }]\n", true],
  ])("where only some classes are in shadow mode (%s) it looks at the incident", async (_, text, isShut) => {
    for (const action of ["create comment", "close pull request", opening, "react"]) {
      const refusal = await aLatch(head(text), { subject: shop }).refusal(action, { incident: "u" });
      expect([action, refusal !== undefined]).toEqual([action, isShut]);
    }
    // What belongs to no incident, such as the dashboard.
    expect(await aLatch(head(text)).refusal(dashboard)).toBeUndefined();
  });

  test("the namespace of the workload that was changed counts as that of the alert", async () => {
    const subject = { alert: "HighLatency", namespaces: ["shop", "payments"], remedy: "scale" };
    const latch = aLatch(head("modes: [{ namespace: payments, mode: shadow }]\n"), { subject });
    expect(await latch.refusal("create comment", { incident: "u" })).toContain("shadow mode");
  });

  test("lets a proposal be withdrawn, and the merge queue be left whatever is known", async () => {
    for (const text of ["mode: shadow\ndashboard: false\n", "modes: [{ namespace: shop, mode: shadow }]\n"]) {
      const latch = aLatch(head(text), { subject: shop });
      expect(await latch.refusal("withdraw: close pull request")).toBeUndefined();
      expect(await latch.refusal("leave merge queue")).toBeUndefined();
      expect(await latch.refusal("enter merge queue", { incident: "u" })).toContain("shadow mode");
    }
    const unreadable = aLatch(head("mode: shadows\n"));
    expect(await unreadable.refusal("leave merge queue")).toBeUndefined();
    expect(await unreadable.refusal("withdraw: close pull request")).toContain("cannot be read");
  });

  test("is not opened by a file that becomes invalid, and by a valid one at once", async () => {
    let text = "mode: shadow\ndashboard: false\n";
    const latch = aLatch(() => head(text)());
    const turnTo = async (guardrails: string) => {
      text = guardrails;
      return (await latch.refusal(dashboard)) ?? "open";
    };
    expect(await latch.refusal(dashboard)).toContain("shadow mode");
    expect(await turnTo("mode: shadows\n")).toContain("shadow mode");
    expect(await turnTo("mode: live\n")).toBe("open");
    expect(await turnTo("mode: shadows\n")).toBe("open");
  });

  test.each([
    ["mode: shadow\ndashboard: false\n", "shadow mode"],
    ["mode: live\n", undefined],
  ])("a restart with a file that nobody can read goes by what it last said: %s", async (text, wanted) => {
    const kept = {};
    await aLatch(head(text), { kept }).isOn();
    const restarted = aLatch(head("mode: shadows\n"), { kept });
    const refusal = await restarted.refusal(dashboard);
    if (wanted === undefined) expect(refusal).toBeUndefined();
    else expect(refusal).toContain(wanted);
  });

  test("a file that is deleted opens nothing that it had shut, also after a restart", async () => {
    const shut = "mode: shadow\ndashboard: false\n";
    const ofClass = "modes: [{ namespace: shop, mode: shadow }]\n";
    for (const [text, action] of [
      [shut, dashboard],
      [shut, "add labels"],
      [ofClass, opening],
    ] as const) {
      let now: string | undefined = text;
      const kept = {};
      const latch = aLatch(() => head(now)(), { subject: shop, kept });
      expect(await latch.refusal(action)).toContain("shadow mode");
      now = undefined;
      expect(await latch.refusal(action)).toContain("shadow mode");
      expect(await aLatch(head(undefined), { subject: shop, kept }).refusal(action)).toContain("shadow mode");
    }
    const later = aLatch(head(undefined), { kept: { modes: { mode: "later" } } });
    expect(await later.refusal(opening)).toContain("cannot be read");
  });

  test("a file that is deleted shuts nothing that it had open", async () => {
    const kept = {};
    await aLatch(head("mode: live\n"), { kept }).isOn();
    const latch = aLatch(head(undefined), { subject: shop, kept });
    for (const action of [opening, dashboard, "withdraw: close pull request"])
      expect(await latch.refusal(action)).toBeUndefined();
    expect(await latch.isOn()).toBe(false);
  });

  test("a rule that fits everything decides for what belongs to no incident, too", async () => {
    const latch = aLatch(head("dashboard: false\nmodes: [{ mode: shadow }, { namespace: shop, mode: live }]\n"));
    for (const action of ["create check run", "add labels", dashboard])
      expect(await latch.refusal(action)).toContain("shadow mode");
    expect(await latch.isOn()).toBe(true);
  });

  test.each([{}, { modes: null }, { modes: { mode: "later", modes: [], dashboard: true } }])(
    "where nobody knows what it said, nothing is written at all: %o",
    async (kept) => {
      const latch = aLatch(head("mode: shadows\n"), { kept });
      for (const action of [opening, dashboard, "open issue", "add labels", "create check run"])
        expect(await latch.refusal(action)).toContain("cannot be read");
      expect(await latch.isOn()).toBe(true);
    },
  );

  test("stays shut while nobody answers, and asks again", async () => {
    let answers = false;
    const away = async () => {
      if (!answers) throw new Unavailable("git is away");
      return head("mode: live\n")();
    };
    const latch = aLatch(away);
    await expect(latch.refusal(opening)).rejects.toThrow(Unavailable);
    answers = true;
    expect(await latch.refusal(opening)).toBeUndefined();
  });
});
