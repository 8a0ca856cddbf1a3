# Print the help of a makefile: `#@ Section`, then `#: text` above `target:`, `common-target:`, `reads_verb = SETTINGS` or
# `SETTING ?= default`. Settings stand in sections by who reads them, in the order in which these first appear, after
# targets. A target that a makefile explains in the place of `common-target` is the one that is shown.

function finish(name, default_value) {
    if (text == "") return
    # Who reads it is known when all is read.
    if (section == "Settings") { setting[++settings] = name; setting_text[settings] = text; setting_value[settings] = default_value; text = ""; return }
    enter(name, default_value)
}

function enter(name, default_value) {
    if (!(section in known)) { known[section] = ++sections; title[sections] = section }
    number = known[section]
    count[number]++
    label[number, count[number]] = name
    common[number, count[number]] = is_common
    help[number, count[number]] = text
    value[number, count[number]] = default_value
    text = ""
}

# The settings that a verb, or a list such as `building`, names, `$(list)` included.
function expand(list,    words, total, i, found) {
    total = split(list, words, " ")
    for (i = 1; i <= total; i++) {
        if (words[i] ~ /^\$\(/) { gsub(/[$()]/, "", words[i]); found = found " " expand(lists[words[i]]) }
        else found = found " " words[i]
    }
    return found " "
}

function section_of(name,    i, n, found, readers) {
    for (i = 1; i <= verbs; i++) if (index(reads[i], " " name " ")) readers[++n] = verb[i]
    for (i = 1; i <= n; i++) found = found (i == 1 ? "" : i == n ? " and " : ", ") readers[i]
    return "Settings of " (found == "" ? "every target" : found)
}

function print_section(number,    i) {
    printf "\n%s", bold
    print_wrapped(title[number], 0, plain)
    for (i = 1; i <= count[number]; i++) {
        if (common[number, i] && label[number, i] in own) continue
        printf "  %s%-16s%s", name_colour, label[number, i], plain
        # A default that is a formula of make's tells a reader nothing.
        print_wrapped(help[number, i] (value[number, i] ~ /^$|\$/ ? "" : " [" value[number, i] "]"), 18, "")
    }
}

# Lines after the first begin at a column.
function print_wrapped(line, from, end,    words, total, i, column) {
    total = split(line, words, " ")
    column = from
    for (i = 1; i <= total; i++) {
        if (column + 1 + length(words[i]) > 100) { printf "\n%*s", from, ""; column = from }
        printf "%s%s", (i == 1 && from == 0 ? "" : " "), words[i]
        column += 1 + length(words[i])
    }
    print end
}

BEGIN {
    section = "Targets"
    if (colour) { bold = "\033[1m"; name_colour = "\033[36m"; plain = "\033[0m" }
}

/^#@ / { section = substr($0, 4); next }
/^#: / { text = (text == "" ? "" : text " ") substr($0, 4); next }
/^\.PHONY:/ { next }
/^[a-z][a-z_-]* \+?=/ {
    name = $1
    words = $0
    sub(/^[^=]*= */, "", words)
    lists[name] = lists[name] " " words
    if (sub(/^reads_/, "", name) && name != "every_verb") {
        if (!(name in is_verb)) { is_verb[name]; verb[++verbs] = name }
        is_common = 1
        finish(name, "")
        is_common = 0
    }
    next
}
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
    for (i = 1; i <= verbs; i++) reads[i] = expand(lists["reads_" verb[i]])
    for (i = 1; i <= settings; i++) {
        section = section_of(setting[i])
        text = setting_text[i]
        enter(setting[i], setting_value[i])
    }
    print "Usage: make [target] [SETTING=value]"
    print "       ./create-virtual-environment [--help]   the environment to develop in, made or updated"
    for (i = 1; i <= sections; i++) if (title[i] !~ /^Settings/) print_section(i)
    for (i = 1; i <= sections; i++) if (title[i] ~ /^Settings/) print_section(i)
}
