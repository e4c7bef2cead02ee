import { html } from "hono/html";
import type { Part } from "./layout.ts";

// What an Incident-UID looks like: others write into these texts as well, and anything else stays text.
const uid = /\b([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\b/;

/** A text about one incident (its uid) in which each other incident leads to its own page. */
export function withIncidents(text: string, own: string): readonly (Part | string)[] {
  return text
    .split(uid)
    .map((part, index) => (index % 2 === 1 && part !== own ? html`<a href="/incidents/${part}">${part}</a>` : part));
}
