import type { ChartFiles, ChartTools } from "../../../domain/kubernetes/rendered.ts";
import { askingNames } from "./asks-cluster.ts";
import { actionsIn, bytesOf, isTemplate, operandEnd, textOf, unpacked } from "./template-actions.ts";

/** What Helm says of a watched chart that runs a text which asks. */
export const textAsks = "a text that it runs as a template asks";

/**
 * The same chart, but for that Helm fails where a text that is given to `tpl` asks the cluster, whoever puts it together
 * and wherever its parts come from; undefined for a chart that runs no texts.
 */
export function watched(files: ChartFiles, unpack: ChartTools["unpack"]): ChartFiles | undefined {
  const open = unpacked(files, unpack);
  if (open === undefined) return files;
  const seen = new Map<string, Uint8Array>();
  for (const [path, bytes] of open) {
    const text = isTemplate(path) ? textOf(bytes) : "";
    const changed = withWatch(text);
    if (changed !== text) seen.set(path, bytesOf(changed));
  }
  if (seen.size === 0) return undefined;
  return new Map([...open, ...seen, [watchPath, new TextEncoder().encode(watch(askingNames(open)))]]);
}

const watchPath = "templates/_rectify-watch.tpl";
const watchName = "rectify.watch";

// Go's patterns look neither ahead nor behind. What is included by a plain name is a piece of the chart, where it is seen.
const asks =
  "\\{\\{(?:[^}]|\\}[^}])*\\b(?:lookup|getHostByName|tpl|include|template|set|unset|merge\\w*|mustMerge\\w*|Revision|HelmVersion)\\b";

// A text that runs another one, where that is a value or a value written out, hands it on to the watch.
const nested = "\\btpl\\s+([.$][\\w.]*|\\(\\s*to\\w+\\s+[.$][\\w.]*\\s*\\))";

const watch = (names: readonly string[]): string => {
  const known = names.filter((name) => /^[\w.-]+$/.test(name)).map((name) => name.replaceAll(".", "\\."));
  const asker = `(include|template)\\s+"(${["rectify.nothing", ...known].join("|")})"`;
  return `{{- define "${watchName}" -}}
{{- $rest := regexReplaceAll \`(include|template)\\s+"[^"]*"|${nested}\` (toString .) "" -}}
{{- if or (regexMatch \`${asks}\` $rest) (regexMatch \`${asker}\` (toString .)) -}}
{{- fail "${textAsks}" -}}
{{- end -}}
{{- regexReplaceAll \`${nested}\` (toString .) \`tpl (include "${watchName}" $\{1})\` -}}
{{- end -}}
`;
};

function withWatch(text: string): string {
  let result = "";
  let done = 0;
  for (const { start, end } of actionsIn(text)) {
    result += text.slice(done, start) + watchedAction(text.slice(start, end));
    done = end;
  }
  return result + text.slice(done);
}

/** Each first operand of `tpl` goes through the watch on its way. */
function watchedAction(action: string): string {
  const token = /"(?:[^"\\]|\\.)*"|`[^`]*`|(?<![\w.$])tpl(?=[\s(])\s*/g;
  let result = "";
  let done = 0;
  for (let found = token.exec(action); found; found = token.exec(action)) {
    if (!found[0].startsWith("tpl")) continue;
    const end = operandEnd(action, token.lastIndex);
    const operand = action.slice(token.lastIndex, end);
    result += `${action.slice(done, found.index)}tpl (include "${watchName}" ${watchedAction(operand)}) `;
    done = end;
    token.lastIndex = end;
  }
  return result + action.slice(done);
}
