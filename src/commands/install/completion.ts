/** What a command line is made of, as far as a shell completes it. */
interface CommandLine {
  name(): string;
  readonly commands: readonly CommandLine[];
  readonly options: readonly { readonly long?: string | null | undefined }[];
}

/** The words that may follow a command: its own commands and its options. */
interface Words {
  /** `rectify`, or `rectify memory`. */
  readonly path: string;
  readonly words: readonly string[];
}

const shells = {
  bash: (all: readonly Words[]) => `_rectify() {
  local words="" path="rectify" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$path $word" in
${all.map(({ path }) => `      "${path}") path="${path}" ;;`).join("\n")}
    esac
  done
  case "$path" in
${all.map(({ path, words }) => `    "${path}") words="${words.join(" ")}" ;;`).join("\n")}
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -o default -F _rectify rectify`,
  zsh: (all: readonly Words[]) => `autoload -U +X bashcompinit && bashcompinit\n${shells.bash(all)}`,
  fish: (all: readonly Words[]) =>
    all
      .map(({ path, words }) => {
        const [, ...commands] = path.split(" ");
        const when =
          commands.length === 0
            ? "__fish_use_subcommand"
            : commands.map((name) => `__fish_seen_subcommand_from ${name}`).join("; and ");
        return `complete -c rectify -n '${when}' -a '${words.join(" ")}'`;
      })
      .join("\n"),
};

/** The shells whose completion we can write. */
export const completedShells = Object.keys(shells) as readonly (keyof typeof shells)[];

/** The script by which a shell completes these commands; it calls nothing of ours while people type. */
export function completionOf(program: CommandLine, shell: keyof typeof shells): string {
  return shells[shell](wordsOf(program, program.name()));
}

function wordsOf(command: CommandLine, path: string): Words[] {
  const options = [...command.options.flatMap(({ long }) => long ?? []), "--help"];
  const words = [...command.commands.map((item) => item.name()), ...options];
  return [{ path, words }, ...command.commands.flatMap((item) => wordsOf(item, `${path} ${item.name()}`))];
}
