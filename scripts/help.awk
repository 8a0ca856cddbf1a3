# Print the help of a makefile: `#@ Section`, then `#: text` above `target:`, `common-target:` or `VARIABLE ?= default`.
# Sections keep the order in which they first appear, targets come before settings. A target that a makefile explains in
# the place of `common-target` is the one that is shown.

function finish(name, default_value) {
    if (text == "") return
    if (!(section in known)) { known[section] = ++sections; title[sections] = section }
    number = known[section]
    count[number]++
    label[number, count[number]] = name
    common[number, count[number]] = is_common
    help[number, count[number]] = text
    value[number, count[number]] = default_value
    text = ""
}

function print_section(number,    i) {
    printf "\n%s%s%s\n", bold, title[number], plain
    for (i = 1; i <= count[number]; i++) {
        if (common[number, i] && label[number, i] in own) continue
        printf "  %s%-16s%s", name_colour, label[number, i], plain
        # A default that is a formula of make's tells a reader nothing.
        print_wrapped(help[number, i] (value[number, i] ~ /^$|\$/ ? "" : " [" value[number, i] "]"))
    }
}

function print_wrapped(line,    words, total, i, column) {
    total = split(line, words, " ")
    column = 18
    for (i = 1; i <= total; i++) {
        if (column + 1 + length(words[i]) > 100) { printf "\n%18s", ""; column = 18 }
        printf " %s", words[i]
        column += 1 + length(words[i])
    }
    print ""
}

BEGIN {
    section = "Targets"
    if (colour) { bold = "\033[1m"; name_colour = "\033[36m"; plain = "\033[0m" }
}

/^#@ / { section = substr($0, 4); next }
/^#: / { text = (text == "" ? "" : text " ") substr($0, 4); next }
/^\.PHONY:/ { next }
/^[A-Z][A-Z0-9_]* \?=/ { name = $1; sub(/^[A-Z0-9_]* \?= */, ""); finish(name, $0); next }
/^[a-z][a-z0-9-]*:([^=]|$)/ {
    name = $1
    sub(/:.*/, "", name)
    is_common = sub(/^common-/, "", name)
    if (text != "" && !is_common) own[name]
    finish(name, "")
    is_common = 0
    next
}
{ text = "" }

END {
    print "Usage: make [target] [SETTING=value]"
    print "       ./create-virtual-environment [--help]   the environment to develop in, made or updated"
    for (i = 1; i <= sections; i++) if (title[i] !~ /^Settings/) print_section(i)
    for (i = 1; i <= sections; i++) if (title[i] ~ /^Settings/) print_section(i)
}
