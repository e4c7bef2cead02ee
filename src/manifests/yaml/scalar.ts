import type { ScalarNode } from "./source.ts";

type Scalar = string | number | boolean | null;

/**
 * A scalar as kubectl reads it: go-yaml v2 resolution (YAML 1.1 with Go's number syntax), where `010` is 8, `0o10` is 8,
 * `1_000` is 1000 and `yes` is true. Source: sigs.k8s.io/yaml/goyaml.v2 resolve.go.
 */
export function kubernetesScalar(node: ScalarNode): Scalar {
  if (node.style !== "plain" || node.tagged) return node.text;
  const { text } = node;
  if (/^(?:~|null|Null|NULL|)$/.test(text)) return null;
  if (/^(?:y|Y|yes|Yes|YES|on|On|ON|true|True|TRUE)$/.test(text)) return true;
  if (/^(?:n|N|no|No|NO|off|Off|OFF|false|False|FALSE)$/.test(text)) return false;
  return goInteger(text.replaceAll("_", "")) ?? goFloat(text.replaceAll("_", "")) ?? text;
}

/** The integer that Kubernetes reads, quoted or not; undefined when it reads none. */
export function kubernetesInteger(node: ScalarNode): number | undefined {
  const value = node.style === "plain" ? kubernetesScalar(node) : goInteger(node.text.trim());
  return typeof value === "number" && Number.isInteger(value) ? value : undefined;
}

/** True when a plain scalar with this text would not be read as a string. */
export function needsQuotes(text: string): boolean {
  const plain = { style: "plain", tagged: false, text } as ScalarNode;
  if (typeof kubernetesScalar(plain) !== "string") return true;
  return !/^[A-Za-z0-9_./][A-Za-z0-9_.:/@+-]*$/.test(text) || text.endsWith(":") || /^\d{4}-\d\d?-\d\d?$/.test(text);
}

/** Go's strconv.ParseInt(text, 0, 64): base prefixes 0x, 0o, 0b and a bare 0 for octal. */
function goInteger(text: string): number | undefined {
  const match = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[bB]([01]+)|0[oO]?([0-7]+)|(0|[1-9][0-9]*))$/.exec(text);
  if (!match) return undefined;
  const [, sign, hex, binary, octal, decimal] = match;
  const magnitude =
    hex !== undefined
      ? Number.parseInt(hex, 16)
      : binary !== undefined
        ? Number.parseInt(binary, 2)
        : octal !== undefined
          ? Number.parseInt(octal, 8)
          : Number(decimal);
  return sign === "-" && magnitude !== 0 ? -magnitude : magnitude;
}

function goFloat(text: string): number | undefined {
  return /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/.test(text) ? Number(text) : undefined;
}
