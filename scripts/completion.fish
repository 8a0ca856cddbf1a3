# Completion for fish. In ~/.config/fish/config.fish:
#     source ~/src/mail-relay/common/scripts/completion.fish
# Once is enough for all projects, as in bash: what there is comes from the script for bash. In any other directory make
# completes as it did before.

set -g _python_common_completion (path resolve (status filename) | path dirname)/completion.bash

# Words of bash's completion: `make` and what follows it, the word that is being typed last.
function _python_common_offered
    bash --noprofile --norc $_python_common_completion offer (commandline -opc) (commandline -ct) 2>/dev/null
end

function _python_common_options
    set -l script (commandline -opc)[1]
    test -x "$script"; and $script --help 2>/dev/null | grep -oE -- '(^| |\[)--?[a-z][a-z-]*' | tr -d ' [' | sort -u
end

complete -c make -n 'test -n "$(_python_common_offered)"' -f -a '(_python_common_offered)'
for script in create-virtual-environment new-service new-project
    complete -c $script -n 'string match -q -- "-*" (commandline -ct)' -f -a '(_python_common_options)'
end
