import { html } from "hono/html";
import type { Capsule } from "../../../domain/records/capsule.ts";
import { asDecided } from "../../../domain/root-cause/cause.ts";
import type { Part } from "../parts/layout.ts";

/** The causes as a ranking, each with a bar as long as its confidence. */
export function causesPart(capsule: Capsule | undefined): Part {
  if (capsule === undefined) return html`<p class="dim">Not diagnosed yet.</p>`;
  const { diagnosis, decided } = capsule;
  if (diagnosis.kind === "abstained") return html`<p>None: ${diagnosis.because}.</p>`;
  const rows = asDecided(diagnosis.causes, decided).map(({ confidence, sentence, citing }) => {
    const percent = Math.round(Math.min(1, Math.max(0, confidence)) * 100);
    return html`<li>
      ${sentence}
      <svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="all" width="100" height="4" /><rect class="part" width="${percent}" height="4" />
      </svg>
      <span class="dim">${percent} %, by</span> ${citing.map((id) => html`<a href="#${id}">${id}</a> `)}
    </li>`;
  });
  return html`<ol class="causes">${rows}</ol>`;
}
