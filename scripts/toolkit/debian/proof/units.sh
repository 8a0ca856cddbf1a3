# The units of packages, where systemd runs; lifecycle.sh sources this. Nothing of it does anything elsewhere.

# Seconds that a unit may take until it runs and is ready, and for which it then has to go on.
PATIENCE=120
STEADY=3

property() {
	systemctl show --property "$2" --value -- "$1"
}

is() {
	test "$(property "$1" "$2")" = "$3"
}

# The units in a package; not templates, which are nothing without an instance.
units() {
	test -d /run/systemd/system || return 0
	dpkg-query --listfiles "$1" |
		sed -n 's#^\(/usr\)\?/lib/systemd/system/\([^/@]*\.\(service\|socket\|timer\|path\)\)$#\2#p' | sort -u
}

# Those of them that it has set in motion.
moving() {
	units "$1" | while read -r unit; do
		is "$unit" ActiveState inactive && ! is "$unit" UnitFileState enabled || echo "$unit"
	done
}

# Those that wait for what a timer or a socket has to tell, which itself runs.
waiting() {
	units "$1" | while read -r unit; do
		is "$unit" ActiveState inactive || continue
		for trigger in $(property "$unit" TriggeredBy); do
			! is "$trigger" ActiveState active || echo "$unit"
		done
	done | sort -u
}

# Tells whether it has ever been tried to start a unit.
is_tried() {
	! is "$1" ConditionTimestampMonotonic 0
}

# Tells whether a unit's own conditions keep it from running.
is_unmet() {
	is_tried "$1" && is "$1" ConditionResult no || is "$1" Result exec-condition
}

# Waits until a unit runs, or has done what it is there for, and goes on so for a while. Prints what else has become of it.
settle() {
	since= deadline=$(($(date +%s) + PATIENCE))
	is "$1" LoadState loaded || {
		echo "it cannot be loaded: $(property "$1" LoadError)"
		return
	}
	# What is enabled is started at the next boot, if not now.
	is_tried "$1" || tell start "$1" || {
		echo "it cannot be started: $(tail -n 1 systemctl.log)"
		return
	}
	while :; do
		now=$(date +%s)
		if test "$(property "$1" NRestarts)" -gt 0 2> settle.log || is "$1" SubState auto-restart; then
			echo "it ends, and is started again ($(ending "$1"))"
			return
		fi
		case $(property "$1" ActiveState) in
		active)
			since=${since:-$now}
			test "$((now - since))" -lt "$STEADY" || return 0
			;;
		failed)
			echo "it has failed ($(ending "$1"))"
			return
			;;
		inactive)
			is_unmet "$1" || is "$1" Type oneshot || ! is "$1" TriggeredBy "" || echo "it has ended ($(ending "$1"))"
			return
			;;
		*) since= ;;
		esac
		if test "$now" -gt "$deadline"; then
			echo "it has not said that it is ready after $PATIENCE s"
			return
		fi
		sleep 0.2
	done
}

# How a unit has ended, as systemd says it.
ending() {
	result=$(property "$1" Result)
	case $result,$(property "$1" ExecMainStatus) in
	exit-code,203) echo "status 203: there is no program that ExecStart names, or it cannot be run" ;;
	exit-code,226) echo "status 226: what the unit asks of its file system cannot be had" ;;
	exit-code,*) echo "status $(property "$1" ExecMainStatus)" ;;
	signal,31 | core-dump,31) echo "signal SYS: a system call that SystemCallFilter does not let pass" ;;
	signal,* | core-dump,*) echo "signal $(property "$1" ExecMainStatus)" ;;
	*) echo "$result" ;;
	esac
}

# Tells whether a unit runs, and is ready.
check() {
	text=$(settle "$1")
	test -n "$text" || text=$(readiness "$1")
	test -z "$text" || blame "$1" "$text"
}

# Says what is wrong with a unit, after what it has said itself.
blame() {
	journalctl --sync > sync.log 2>&1 || :
	# Not --unit: what systemd says of it in a process of its own that has ended by then would be missing.
	journalctl --no-pager --lines 60 --output cat "_SYSTEMD_UNIT=$1" + "UNIT=$1" | sed 's/^/ /'
	printf 'WRONG %s %s %s: %s\n' "$name" "$step" "$1" "$2"
	return 1
}

# What a service answers on the ports that it listens on, when it is asked whether it is ready: what stays wrong with that.
readiness() {
	test -e "load/$name/interpreter" || return 0
	python=$(cat "load/$name/interpreter") deadline=$(($(date +%s) + PATIENCE))
	while text=$("$python" -I -S -B load/readiness.py $(processes "$1") < /dev/null 2> ask.log || tail -n 1 ask.log) &&
		test -n "$text" -a "$(date +%s)" -lt "$deadline"; do
		sleep 1
	done
	echo "$text"
}

processes() {
	grep --files-with-matches --fixed-strings -e "/$1" /proc/[0-9]*/cgroup 2> processes.log | cut -d / -f 3
}

# Each unit that the package has set in motion runs, and once what waits for such a one; of those in a file, if one is
# named, each.
started() {
	test -d /run/systemd/system || return 0
	begin "$1"
	if test $# -eq 1; then
		moving "$name" > moved
		waiting "$name" > waiting
		while read -r unit <&4; do
			tell start "$unit" || :
		done 4< waiting
		sort -u -o moved moved waiting
	fi
	while read -r unit <&4; do
		if ! check "$unit"; then
			status=1
		elif is_unmet "$unit"; then
			echo "IDLE $name $unit its conditions are not met"
		else
			echo "RUNS $name $unit"
		fi
	done 4< "${2:-moved}"
	units "$name" | grep -vxFf "${2:-moved}" | sed "s/.*/IDLE $name & nothing has set it in motion/"
}

tell() {
	timeout "$PATIENCE" systemctl "$1" -- "$2" > systemctl.log 2>&1
}

# The units of the package that run, for a version that nobody judges.
running() {
	moving "$1" | while read -r unit; do
		test -n "$(settle "$unit")" || is_unmet "$unit" || echo "$unit"
	done
}

# Each service that runs is told to reload, or restarted, and runs.
again() {
	test -d /run/systemd/system || return 0
	begin "$1"
	moving "$name" > moved
	while read -r unit <&4; do
		case $1,$unit,$(property "$unit" ActiveState),$(property "$unit" CanReload) in
		reload,*.service,active,yes | restart,*.service,active,*)
			if tell "$1" "$unit"; then
				check "$unit" || status=1
			else
				blame "$unit" "systemctl $1 has failed" || status=1
			fi
			;;
		esac
	done 4< moved
}

# No process of its units is left.
stopped() {
	while read -r unit; do
		test -z "$(processes "$unit")" || {
			echo "WRONG $name stop $unit"
			status=1
		}
	done < units
}
