import { masked } from "./masking.ts";

/** One line without secrets and without control, bidirectional, zero-width or unpaired characters. */
export function oneLine(text: string, longest: number): string {
  const visible = masked(text)
    .text.replace(/[\p{Cc}\p{Zl}\p{Zp}\s]+/gu, " ")
    .replace(/[\p{Cf}\p{Cs}\p{Co}\p{Cn}]/gu, "");
  return [...visible.trim()].reduce((kept, sign) => (kept.length + sign.length > longest ? kept : kept + sign), "");
}
