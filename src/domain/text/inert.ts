import { masked } from "./masking.ts";

/**
 * Text of others in texts of ours. GitHub acts on mentions, issue references, closing keywords, CI switches, trailers,
 * links, images and HTML, and some of that after Markdown has been rendered (so an entity like `&#64;` protects
 * nothing), some in the raw body (a squash merge makes it the commit message). Signs that GitHub acts on are therefore
 * replaced by look-alikes, and the signs of Markdown are written as entities.
 */
export function inert(text: string, most = 1000): string {
  // Addresses and emoji codes are found in rendered text, so they are broken before anything becomes an entity.
  const broken = defused(text, most)
    .replaceAll("@", "＠")
    .replace(/:(?=[a-z+-][a-z0-9_+-]*:)/gi, "∶");
  return escaped(broken);
}

/** One line for a commit message or a title, where there is no Markdown: without anything that GitHub acts on. */
export function defused(text: string, most = 1000): string {
  return disarmed(cut(withoutSecrets(text), most));
}

/** Masked before anything is replaced: what was disarmed, or hidden between invisible signs, is no secret to look at. */
function withoutSecrets(text: string): string {
  const whole = text.slice(0, longestText);
  const plain = cleaned(masked(whole).text);
  // Where nothing was masked and nothing went, the second look would be the first once more.
  return plain === whole ? whole : masked(plain).text;
}

const longestText = 100_000;

/** A code span, also within a table. */
export function inertCode(text: string, most = 1000): string {
  const line = defused(text, most).replaceAll("`", "'").replaceAll("|", "¦");
  return line === "" ? "` `" : `\`${line}\``;
}

/** One line without control, bidirectional, zero-width, private and unpaired signs. */
function cleaned(text: string): string {
  return text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, " ")
    .replace(/[\p{Cf}\p{Co}\p{Cs}\u{034F}\u{115F}\u{1160}\u{3164}\u{FFA0}\u{FE00}-\u{FE0F}\u{E0000}-\u{E0FFF}]/gu, "")
    .replace(/(\p{M}{3})\p{M}+/gu, "$1")
    .replace(/\s+/gu, " ")
    .trim();
}

function cut(text: string, most: number): string {
  // No text has more signs than units.
  if (text.length <= most) return text;
  const signs = [...text];
  return signs.length <= most ? text : `${signs.slice(0, most - 1).join("")}…`;
}

/** Each rule ends one thing that GitHub, git or CI would act on. */
const disarming: readonly (readonly [RegExp, string])[] = [
  // mentions: @user, @org/team
  [/(?<![A-Za-z0-9])@(?=[A-Za-z0-9])/g, "＠"],
  // references and closing keywords: #1, o/r#1, GH-1, addresses of issues
  [/#(?=\d)/g, "＃"],
  [/\bgh-(?=\d)/gi, "GH‑"],
  [/(h)tt(ps?):(?=\/\/)/gi, "$1xx$2:"],
  [/(ftp|mailto|xmpp):(?=\S)/gi, "$1∶"],
  [/www\.(?=\S)/gi, "www∙"],
  // CI switches
  [/\[\s*(skip|no)[\s-]+(ci|actions|build)\s*\]/gi, "[$1‑$2]"],
  [/\[\s*(ci|actions|build)[\s-]+skip\s*\]/gi, "[$1‑skip]"],
  // Other services have words of their own: [skip netlify], [render skip], [CF-Pages-Skip].
  [/\[(?=[^\]‑]{0,40}\bskip\b[^\]‑]{0,40}\])/gi, "［"],
  [/\*{3}NO_CI\*{3}/gi, "NO_CI"],
  [/skip-checks\s*:/gi, "skip-checks∶"],
  // trailers, ours and git's
  [/\b([a-z]+(?:-[a-z]+)*-(?:by|uid|expires|commit)|effect|change-id|fixes|closes|resolves)\s*:/gi, "$1∶"],
  // what release tools read in the lines of a commit
  [/\b(breaking[\s-]+change|release-as)\s*[:#]/gi, "$1∶"],
  // entities, which some readers of titles and commit messages turn into signs
  [/&(?=#\d|#x[0-9a-f]|[a-z][a-z0-9]{1,30};)/gi, "＆"],
  // comments that could pass for our hidden marker
  [/<!--/g, "<! --"],
  [/-->/g, "-- >"],
];

function disarmed(line: string): string {
  const safe = disarming.reduce((text, [sign, instead]) => text.replace(sign, instead), line);
  // Bots read a line that starts with a slash as a command.
  return safe.replace(/^[>\s]*[/\\][/\\>\s]*(?=[A-Za-z])/, "∕");
}

function escaped(line: string): string {
  return line
    .replace(/[&<>`*_~[\]|\\#$]/g, entity)
    .replace(/^[-+=:](?!\w)|^[-+=](?=\s|$)/, entity)
    .replace(/^(\d{1,9})([.)])/, (_start, number: string, sign: string) => number + entity(sign));
}

function entity(sign: string): string {
  return `&#${sign.codePointAt(0)};`;
}
