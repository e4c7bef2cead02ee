import { describe, expect, test } from "vitest";
import { renderBody } from "../../../src/domain/proposal/proposal-text.ts";
import { readCapsule } from "../../../src/domain/records/capsule.ts";
import { renderExplanation, renderReplay } from "../../../src/domain/records/explanation.ts";
import { postMortemOf, renderPostMortem } from "../../../src/domain/records/post-mortem.ts";
import { collect } from "../../../src/flow/collect/collect.ts";
import { diagnose, outcomeCauseOf } from "../../../src/flow/diagnose/diagnose.ts";
import type { Model } from "../../../src/ports/model.ts";
import { incidentPage } from "../../../src/server/pages/incident/page.ts";
import { incidentWith, portsOf } from "../../injection/incident.ts";
import { aProposalBody } from "../../faults/proposal-body.ts";

const incident = incidentWith(undefined);
const openedAt = incident.startedAt;

/** A model that takes the first of what is offered, or says that none of it is the cause. */
function modelThat(word: "agrees" | "doubts" | "is silent"): Model {
  return {
    ask: async ({ schema }) => {
      const { cause, remedy, citing } = JSON.parse(JSON.stringify(schema)).properties;
      const agreed = word === "agrees";
      const answer = {
        ...{ cause: cause.enum[0], remedy: agreed ? remedy.enum[0] : "none", confidence: 0.9 },
        ...{ number: null, citing: citing.items.enum.slice(0, 1), explanation: "so it is" },
      };
      const text = word === "is silent" ? "" : JSON.stringify(answer);
      return { text, doneReason: "stop", model: "m", digest: "d", promptTokens: 1, answerTokens: 1, durationMs: 1 };
    },
  };
}

async function toldBy(word: Parameters<typeof modelThat>[0]) {
  const saved: string[] = [];
  const held = portsOf("proven", undefined, { model: modelThat(word), random: () => "r", publish: () => undefined });
  const saveCapsule = async (_incident: string, document: string) => void saved.push(document);
  const ports = { ...held, records: { ...held.records, saveCapsule } };
  const observed = await collect(incident, ports);
  const diagnosis = await diagnose(incident, observed, [], ports);
  if (diagnosis.kind === "abstained") throw new Error(diagnosis.because);
  const cause = outcomeCauseOf(diagnosis);
  const document = saved.at(-1) ?? "";
  const capsule = readCapsule(document);
  const record = { incident, openedAt, endedAt: undefined, ending: undefined, because: undefined, outcome: undefined };
  const rest = { events: [], steps: [], exchanges: [] };
  const around = { audit: [], pull: undefined, links: {}, now: new Date(openedAt), refreshes: undefined };
  const outcome = { cause, ending: "declined", because: "no" } as const;
  return {
    confidence: diagnosis.confidence,
    ranked: diagnosis.cause.confidence,
    same: renderReplay(capsule).same,
    page: String(await incidentPage({ record, ...rest, ...around, capsule: document })),
    pull: renderBody({ ...aProposalBody(), incident, cause }),
    listed: cause.considered?.[0],
    texts: {
      postMortem: renderPostMortem(postMortemOf({ incident, outcome, evidence: [], now: incident.startedAt })),
      explain: renderExplanation({ ...record, ...rest, capsule }).join("\n"),
      replay: renderReplay(capsule).lines.join("\n"),
    },
    sentence: diagnosis.cause.sentence,
  };
}

describe.each(["agrees", "doubts", "is silent"] as const)("when the model %s", (word) => {
  test("pull request, page, explain, replay and post-mortem say the number that the decision used", async () => {
    const { confidence, ranked, same, page, pull, listed, texts, sentence } = await toldBy(word);
    const number = `${Math.round(confidence * 100)} %`;
    expect(number === `${Math.round(ranked * 100)} %`).toBe(word === "is silent");
    const ranking = page.slice(
      page.indexOf('<ol class="causes">'),
      page.indexOf("</ol>", page.indexOf('<ol class="causes">')),
    );
    const [first] = ranking.split("</li>");
    expect(first).toContain(sentence);
    expect(first).toContain(`${number}, by`);
    for (const [where, text] of Object.entries(texts)) {
      const said = text.split("\n").flatMap((line) => (line.includes(sentence) ? [line.replace(sentence, "")] : []));
      const numbers = said.flatMap((line) => line.match(/\d+ %/g) ?? []);
      expect([where, ...new Set(numbers)]).toEqual([where, number]);
    }
    expect(pull).toContain(`Confidence: ${number}`);
    expect(listed).toMatchObject({ sentence, confidence });
    expect(same).toBe(true);
  });
});
