# The units of packages, where systemd runs; lifecycle.sh sources this. Nothing of it does anything elsewhere.

# Seconds that a unit may take until it runs, and for which it then has to go on.
PATIENCE=120
STEADY=3

property() {
	systemctl show --property "$2" --value "$1"
}

# The units in a package, but templates: those are nothing without an instance.
units() {
	test -d /run/systemd/system || return 0
	dpkg-query --listfiles "$1" |
		sed -n 's#^\(/usr\)\?/lib/systemd/system/\([^/@]*\.\(service\|socket\|timer\|path\)\)$#\2#p' | sort -u
}

# Those of them that it has set in motion.
moving() {
	units "$1" | while read -r unit; do
		test "$(property "$unit" ActiveState)" = inactive -a "$(property "$unit" UnitFileState)" != enabled || echo "$unit"
	done
}

# Those that wait for what another one of them has to tell: a timer, a socket.
waiting() {
	units "$1" | while read -r unit; do
		test "$(property "$unit" ActiveState)" != inactive -o -z "$(property "$unit" TriggeredBy)" || echo "$unit"
	done
}

# Tells whether a unit's own conditions keep it from running.
is_unmet() {
	test "$(property "$1" ConditionResult)" = no -o "$(property "$1" Result)" = exec-condition
}

# Waits until a unit runs, or has done what it is there for, and goes on so for a while. Prints what else has become of it.
settle() {
	since= deadline=$(($(date +%s) + PATIENCE))
	while :; do
		now=$(date +%s)
		if test "$(property "$1" NRestarts)" -gt 0 2> settle.log || test "$(property "$1" SubState)" = auto-restart; then
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
			is_unmet "$1" || test "$(property "$1" Type)" = oneshot || echo "it has ended ($(ending "$1"))"
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

# Tells whether a unit runs; what it said is shown where it does not, and where its readiness is asked for in vain.
check() {
	text=$(settle "$1")
	test -n "$text" || text=$(ask "$1")
	test -n "$text" || return 0
	journalctl --sync > sync.log 2>&1 || :
	journalctl --unit "$1" --no-pager --lines 60 --output cat | sed 's/^/ /'
	echo "WRONG $name $step $1: $text"
	return 1
}

# What a service answers on the ports that it listens on, when it is asked whether it is ready: what is wrong with that.
ask() {
	test -e "load/$name/interpreter" || return 0
	"$(cat "load/$name/interpreter")" -I -S -B load/readiness.py $(processes "$1") < /dev/null 2> ask.log || cat ask.log
}

processes() {
	grep --files-with-matches --fixed-strings "/$1" /proc/[0-9]*/cgroup 2> processes.log | cut -d / -f 3
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
			tell start "$unit"
		done 4< waiting
		cat waiting >> moved
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

# The units of the package that run, for a version that nobody judges.
running() {
	moving "$1" | while read -r unit; do
		test -n "$(settle "$unit")" || echo "$unit"
	done
}

tell() {
	timeout "$PATIENCE" systemctl "$1" "$2" > systemctl.log 2>&1 || sed 's/^/ /' systemctl.log
}

# Each service that runs is told to reload, or restarted, and runs.
again() {
	test -d /run/systemd/system || return 0
	begin "$1"
	moving "$name" > moved
	while read -r unit <&4; do
		case $1,$unit,$(property "$unit" ActiveState),$(property "$unit" CanReload) in
		reload,*.service,active,yes | restart,*.service,active,*)
			tell "$1" "$unit"
			check "$unit" || status=1
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
