# Completion for zsh. In ~/.zshrc, after compinit:
#     source ~/src/mail-relay/common/scripts/completion.zsh
# Once is enough for all projects, as in bash: what there is comes from the script for bash, which knows no more of the
# line than words. In any other directory make completes as it did before.

_python_common_completion=${${(%):-%x}:A:h}/completion.bash

# Words of bash's completion: `make` and what follows it, the word that is being typed last.
_python_common_offered() {
    bash --noprofile --norc "$_python_common_completion" offer "$@" 2>/dev/null
}

_python_common_make() {
    local -a offered values
    local word=${PREFIX}
    offered=(${(f)"$(_python_common_offered "${(@Q)words[1,CURRENT - 1]}" "$word")"})
    if (( ! $#offered )); then
        _python_common_other
        return
    fi
    # A value follows what ends with `=`.
    values=(${(M)offered:#*=})
    offered=(${offered:#*=})
    (( $#values )) && compadd -S '' -- $values
    (( $#offered )) && compadd -- $offered
    return 0
}

_python_common_other() {
    autoload -Uz _make
    (( $+functions[_make] )) && _make "$@"
}

_python_common_script() {
    local script=${~words[1]}
    [[ $PREFIX = -* && -x $script ]] || { _files; return }
    compadd -- ${(f)"$("$script" --help 2>/dev/null | grep -oE -- '(^| |\[)--?[a-z][a-z-]*' | tr -d ' [' | sort -u)"}
}

(( $+functions[compdef] )) || { autoload -Uz compinit && compinit -u }
compdef _python_common_make make
compdef _python_common_script create-virtual-environment new-service new-project
