/**
 * The scripts that teach a shell to ask `stx-make __complete`. Text only.
 */

/* bash splits words at = and : (COMP_WORDBREAKS); only what follows the last = is offered then. */
const BASH = `# bash completion for stx-make. Use: source <(stx-make completion bash)
_stx_make() {
  local line=\${COMP_LINE:0:COMP_POINT} words out word
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  out=$("\${words[0]}" __complete -- "\${words[@]:1}" 2>/dev/null) || return 0
  COMPREPLY=()
  case $out in
    :folder*) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -d -- "\${COMP_WORDS[COMP_CWORD]}"); return ;;
    :file*) compopt -o filenames 2>/dev/null; mapfile -t COMPREPLY < <(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}"); return ;;
  esac
  word=\${words[\${#words[@]}-1]}
  while IFS= read -r out; do
    [[ -z $out ]] && continue
    [[ $word == *=* && $COMP_WORDBREAKS == *=* ]] && out=\${out#*=}
    COMPREPLY+=("$out")
  done <<<"$out"
}
complete -F _stx_make stx-make
`;

const ZSH = `#compdef stx-make
# zsh completion for stx-make. Use: source <(stx-make completion zsh)
_stx_make() {
  local -a out
  out=("\${(@f)$("\${words[1]}" __complete -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  case $out[1] in
    :folder) _files -/ ;;
    :file) _files ;;
    '') return 1 ;;
    *) compadd -Q -- $out ;;
  esac
}
(( $+functions[compdef] )) && compdef _stx_make stx-make
`;

const FISH = `# fish completion for stx-make. Use: stx-make completion fish | source
function __stx_make_complete
  set -l words (commandline -opc) (commandline -ct)
  set -l out ($words[1] __complete -- $words[2..-1] 2>/dev/null)
  switch "$out[1]"
    case :folder
      __fish_complete_directories (commandline -ct)
    case :file
      __fish_complete_path (commandline -ct)
    case '*'
      printf '%s\\n' $out
  end
end
complete -c stx-make -f -a '(__stx_make_complete)'
`;

export const SHELLS = ['bash', 'zsh', 'fish'] as const;
export type Shell = (typeof SHELLS)[number];

export const COMPLETION_SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };
