# Puts the commands for stands on PATH. One line in ~/.bashrc or ~/.zshrc: `. ~/src/project/common/stand/shell.sh`
PATH="$PATH:$(cd "$(dirname "${BASH_SOURCE:-$0}")" && pwd)/bin"
