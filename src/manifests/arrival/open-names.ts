/** A part of a text that somebody fills in later: Flux, Flux Operator, Helm. */
const openPart = /\$\{.*?\}|<<.*?>>|\{\{.*?\}\}/;

/** Whether a part of a name is still to be filled in. */
export const isOpen = (text: string): boolean => openPart.test(text);

/** Whether a name with open parts may become another one. */
export function mayBecome(text: string, name: string): boolean {
  const parts = text.split(new RegExp(openPart, "g")).map((part) => part.replace(/[.+*?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(name);
}
