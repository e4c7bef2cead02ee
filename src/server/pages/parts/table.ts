import { html } from "hono/html";
import type { Part } from "./layout.ts";

type Content = Part | string | number;

/** One cell: what it shows and how; the head of a row names it. */
type Cell =
  | Content
  | { readonly show: Content; readonly look?: "number" | "time" | "long" | "good" | "bad" | "wait" | "dim" | "head" };

export interface TableRow {
  readonly cells: readonly Cell[];
  /** An anchor, for links to this row. */
  readonly id?: string;
}

/** A table that becomes cards on a narrow screen; an empty one says so. */
export function table(heads: readonly string[], rows: readonly TableRow[], empty: string): Part {
  if (rows.length === 0) return html`<p class="dim">${empty}</p>`;
  return html`<table>
    <thead>
      <tr>${heads.map((head) => html`<th scope="col">${head}</th>`)}</tr>
    </thead>
    <tbody>
      ${rows.map((row) => rowOf(heads, row))}
    </tbody>
  </table>`;
}

function rowOf(heads: readonly string[], { cells, id }: TableRow): Part {
  const shown = cells.map((cell, index) => cellOf(cell, heads[index] ?? ""));
  return id === undefined ? html`<tr>${shown}</tr>` : html`<tr id="${id}">${shown}</tr>`;
}

function cellOf(cell: Cell, label: string): Part {
  const { show, look } = isStyled(cell) ? cell : { show: cell, look: undefined };
  if (look === "head") return html`<th scope="row">${show}</th>`;
  // Without a label and a space an empty cell leaves its card.
  if (show === "") return html`<td></td>`;
  return look === undefined
    ? html`<td data-label="${label}">${show}</td>`
    : html`<td data-label="${label}" class="${look}">${show}</td>`;
}

function isStyled(cell: Cell): cell is Exclude<Cell, Content> {
  return typeof cell === "object" && "show" in cell;
}
