import { defused, inert, inertCode } from "../../text/inert.ts";

/** Text that others may have written, as a sentence of ours. */
export function plain(text: string): string {
  return inert(text);
}

export function code(text: string): string {
  return inertCode(text);
}

export function list(title: string, items: readonly string[]): string {
  return `${title}:\n\n${items.map((item) => `- ${item}`).join("\n")}`;
}

/** A sentence that begins with a capital, or with a name, which is left as it is; with its full stop. */
export function sentence(text: string, names: readonly string[] = []): string {
  const said = text.trim();
  const name = names.find((one) => said.startsWith(`${one} `));
  const whole =
    name === undefined
      ? plain(/^[a-z][a-z]+(?=[\s,:'-]|$)/.test(said) ? said.charAt(0).toUpperCase() + said.slice(1) : said)
      : `${code(name)} ${plain(said.slice(name.length + 1))}`;
  return /[.!?…]$/.test(whole) || whole === "" ? whole : `${whole}.`;
}

/** `2026-11-24 02:00 UTC`. */
export function minuteOf(time: string): string {
  const at = Date.parse(time);
  return Number.isNaN(at) ? plain(time) : `${new Date(at).toISOString().slice(0, 16).replace("T", " ")} UTC`;
}

/** What only those need who doubt: closed at first. The title is ours, or was made inert. */
export function folded(title: string, parts: readonly string[]): string {
  return ["<details>", `<summary>${title}</summary>`, "", parts.join("\n\n"), "", "</details>"].join("\n");
}

/** One line where no Markdown is read. */
export function plainLine(text: string): string {
  return defused(text, 200);
}
