# Completion for bash. In ~/.bashrc:
#     source ~/src/mail-relay/common/scripts/completion.bash
# Once is enough for all projects: targets and settings are read from the project that make is called in. In any other
# directory make completes as it did before.

# The toolkit whose makefile the Makefile of a directory is, or includes.
_python_common_toolkit() {
    local makefile=$1/Makefile included
    [[ -f $makefile ]] || return
    makefile=$(readlink -f -- "$makefile")
    if [[ ${makefile##*/} != project.mk ]]; then
        included=$(sed -n 's/^include  *\($(here)\)\{0,1\}\([^ $]*project\.mk\) *$/\2/p;T;q' -- "$makefile")
        [[ -n $included ]] || return
        [[ $included = /* ]] || included=$1/$included
        makefile=$(readlink -f -- "$included")
    fi
    [[ -f ${makefile%/*}/scripts/completion.awk ]] && printf '%s\n' "${makefile%/*}"
}

# What follows `make` in a project: -C counts.
_python_common_directory() {
    local i
    for ((i = 1; i < COMP_CWORD; i++)); do
        [[ ${COMP_WORDS[i]} != -C ]] || { printf '%s\n' "${COMP_WORDS[i + 1]/#\~/$HOME}"; return; }
    done
    printf '.\n'
}

_python_common_values() {
    local setting=$1 directory=$2
    case $setting in
        RESOLVER) echo uv pip-tools ;;
        INDEX_STRATEGY) echo first-index best-match ;;
        V) echo 0 1 2 ;;
        SUITE|SUITES|STAND_SUITE) echo bookworm trixie ;;
        PLATFORMS) echo linux darwin ;;
        APT|DRY_RUN|YES|STRICT|JSON|ONLINE|DEV|INVERT|TRIAL) echo 1 ;;
        FORMAT) echo text dot mermaid json ;;
        BOOT) echo auto required no ;;
        STAND) echo container remote vagrant lima local ;;
        FROM) (cd -- "$directory" && compgen -G '*.lock'; cd -- "$directory" && compgen -G 'pylock*.toml') ;;
        UPGRADE) echo all; _python_common_names "$directory" ;;
        NAME) _python_common_names "$directory" "$4" ;;
        PACKAGES) (cd -- "$directory" && printf '%s\n' */setup.py */pyproject.toml | sed '/^\*/d;s,/[^/]*$,,' | sort -u) ;;
        SERVICE|SERVICES) (cd -- "$directory" && printf '%s\n' */bin | sed '/^\*/d;s,/bin$,,') ;;
        DESTDIR|UPGRADE_FROM|REPORTS|WHEEL_STORE|EXAMPLE) compgen -d -- "$3" ;;
        PYTHON|PYTHON3) compgen -c -- "${3:-python3}" ;;
    esac
}

# What is locked, with what builds it; of `make remove`, what files name.
_python_common_names() {
    if [[ ${2-} = remove ]]; then
        sed -n 's/^\([A-Za-z0-9][A-Za-z0-9._-]*\).*/\1/p' "$1"/{,*/}{,dev-}requirements.txt 2>/dev/null | sort -u
    else
        sed -nE '/^\[\[(packages|tool\.python-common\.build-packages)\]\]/,/^version/s/^name = "([A-Za-z0-9._-]+)"$/\1/p' \
            "$1"/vendor/pylock.*.toml 2>/dev/null | sort -u
    fi
}

# Offer those of some words that begin as a word does. `compgen -W` would run what is in them: `$(...)` in a file's name.
_python_common_offer() {
    local offer
    local -a offered
    read -r -d '' -a offered <<< "$3" || :
    for offer in "${offered[@]}"; do
        [[ $offer != "$1"* ]] || COMPREPLY+=("$2$offer")
    done
}

# The first target on the line.
_python_common_goal() {
    local word before=
    for word in "${COMP_WORDS[@]:1:COMP_CWORD - 1}"; do
        [[ $word != -* && $word != *=* && $before != = && $before != -[CfIo] && $word != [A-Z]* ]] && { printf '%s\n' "$word"; return; }
        before=$word
    done
}

_python_common_make() {
    local directory toolkit makefiles word before goal names= setting= prefix= IFS=$' \t\n'
    COMPREPLY=()
    directory=$(_python_common_directory)
    toolkit=$(_python_common_toolkit "$directory")
    if [[ -z $toolkit || ${COMP_WORDS[COMP_CWORD]} = -* || ${COMP_WORDS[COMP_CWORD - 1]} = -[CfIo] ]]; then
        _python_common_other "$@"
        return
    fi
    word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} goal=$(_python_common_goal)
    # `=` is a word of its own, unless COMP_WORDBREAKS lacks it.
    if [[ $word = '=' ]]; then
        setting=${COMP_WORDS[COMP_CWORD - 1]} word=
    elif [[ $before = '=' ]]; then
        setting=${COMP_WORDS[COMP_CWORD - 2]}
    elif [[ $word = *=* ]]; then
        setting=${word%%=*} word=${word#*=} prefix=$setting=
    fi
    if [[ -n $setting ]]; then
        _python_common_offer "$word" "$prefix" "$(_python_common_values "$setting" "$directory" "$word" "$goal")"
    else
        makefiles=("$toolkit/project.mk" "$directory/Makefile")
        [[ ! $directory -ef $toolkit ]] || makefiles+=("$toolkit/scripts/toolkit.mk")
        # What follows these may be a name: `make why flask`.
        [[ $goal != @(add|remove|tree|why) ]] || names=$(_python_common_names "$directory" "$goal")
        names+=" $(awk -f "$toolkit/scripts/completion.awk" "${makefiles[@]}" | sort -u)"
        _python_common_offer "$word" "" "$names"
        # A value follows.
        [[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null
    fi
}

# What completed make before, or would have: a function of bash-completion, which it loads when it is first wanted.
_python_common_other() {
    local loaded
    if [[ -z ${_python_common_make_before-} ]]; then
        if declare -F _comp_load >/dev/null; then
            _comp_load make && loaded=1
        elif declare -F __load_completion >/dev/null; then
            __load_completion make && loaded=1
        fi
        [[ -z ${loaded-} ]] || _python_common_make_before=$(complete -p make 2>/dev/null | sed -n 's/.* -F \([^ ]*\) .*/\1/p')
        complete -o bashdefault -o default -F _python_common_make make
    fi
    if declare -F "${_python_common_make_before-}" >/dev/null; then
        "$_python_common_make_before" "$@"
    fi
}

# The options of a script, which its own parser tells.
_python_common_script() {
    local script=$1 word=${COMP_WORDS[COMP_CWORD]} IFS=$' \t\n'
    COMPREPLY=()
    [[ $word = -* && -x ${script/#\~/$HOME} ]] || return
    COMPREPLY=($(compgen -W "$("${script/#\~/$HOME}" --help 2>/dev/null | grep -oE -- '(^| |\[)--?[a-z][a-z-]*' | tr -d ' [' | sort -u)" -- "$word"))
}

# For other shells: `bash completion.bash offer make vendor UPGRADE=` prints what the last word may be, each on a line.
if [[ ${BASH_SOURCE[0]} = "$0" && ${1-} = offer ]]; then
    _python_common_other() { :; }
    COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))
    _python_common_make
    [[ ${#COMPREPLY[@]} = 0 ]] || printf '%s\n' "${COMPREPLY[@]}"
    exit
fi

_python_common_make_before=$(complete -p make 2>/dev/null | sed -n 's/.* -F \([^ ]*\) .*/\1/p')
[[ $_python_common_make_before != _python_common_make ]] || _python_common_make_before=
complete -o bashdefault -o default -F _python_common_make make
complete -o bashdefault -o default -F _python_common_script create-virtual-environment new-service new-project adopt
