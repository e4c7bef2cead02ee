import { masked } from "./masking.ts";

/** One line without secrets and without control, bidirectional, zero-width or unpaired characters. */
export function oneLine(text: string, longest: number): string {
  const visible = masked(text)
    .text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .replace(/[\p{Cf}\p{Cs}\p{Co}\p{Cn}]/gu, "");
  // Once more: invisible signs inside of a secret hide it from the first look.
  return [...masked(visible).text.trim()].reduce(
    (kept, sign) => (kept.length + sign.length > longest ? kept : kept + sign),
    "",
  );
}
