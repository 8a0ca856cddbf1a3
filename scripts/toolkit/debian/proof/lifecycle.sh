#!/bin/sh
# The life of each package in new/: installed, upgraded, removed, purged; from one in old/, if there is, and once back to
# that. It is run as root of a system that is nothing else's, beside these directories; where that has booted, the
# package's units are started and asked, too. Each step is a line `STEP package step`; what is wrong is a line `WRONG
# package step what`, and the status is then 1. A package with a directory in load/ is loaded once, by the interpreter
# that a file there names: what failed is a line `LOADED package json`, and the Debian packages of libraries that were
# missing then are a line `HAS package json`. Whatever others have printed is indented.
#
# What depends on others of new/ comes after them, and they live and end with it.
#
# `lifecycle fetch` fetches what all of that needs, for a system that will have no network.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
status=0
. ./units.sh

apt() {
	apt-get --quiet --yes --no-install-recommends --allow-downgrades "$@" < /dev/null > apt.log 2>&1 || {
		sed 's/^/ /' apt.log
		echo "WRONG $name $step -"
		exit 1
	}
}

# Every path with its kind, mode, owner and target, and with the sum of what is in it; every user and group. Not what any
# installation, or any system that runs, changes.
list() {
	set -- / -xdev
	for place in /dev /proc /run /sys /tmp /var/cache/apt /var/cache/debconf /var/cache/ldconfig /var/lib/apt \
		/var/lib/dpkg /var/log/apt /var/log/alternatives.log /var/log/dpkg.log /var/tmp /etc/ld.so.cache \
		/var/lib/systemd/catalog /var/lib/systemd/random-seed /var/lib/systemd/timers /var/log/journal \
		/var/log/btmp /var/log/lastlog /var/log/wtmp "$PWD"; do
		set -- "$@" -path "$place" -prune -o
	done
	for file in passwd group shadow gshadow subuid subgid; do
		set -- "$@" -path "/etc/$file" -prune -o -path "/etc/$file-" -prune -o
	done
	find "$@" -printf '%p|%y %m %U:%G %l\n' > paths
	find "$@" -type f -exec md5sum {} + | sed 's/^\([^ ]*\)  \(.*\)/\2|\1/' > sums
	sed 's/^\([^:]*\)/user \1|/' /etc/passwd > users
	sed 's/^\([^:]*\)/group \1|/' /etc/group > groups
	sort paths sums users groups
}

# Of paths, those that are not another package's: below a directory of its own in /var, only its services write.
own() {
	while read -r path; do
		place=${path%/*}
		while case $place in /var/*/*) ! dpkg-query --search "$place" > /dev/null 2>&1 ;; *) false ;; esac; do
			place=${place%/*}
		done
		case $place in /var/*/*) ;; *) echo "$path" ;; esac
	done
}

wrong() {
	while read -r path; do
		printf 'WRONG %s %s %s\n' "$name" "$step" "$path"
		status=1
	done < "$1"
}

# As nobody, who can write to nothing but a directory that is looked at no more: what is imported may do anything.
load() {
	python=$(cat "load/$name/interpreter")
	place=$(mktemp -d)
	cp load/load_worker.py "load/$name/request.json" "$place"
	chown -R nobody "$place"
	runuser -u nobody -- env -i HOME="$place" TMPDIR="$place" LC_ALL=C.UTF-8 PATH="${python%/*}:/usr/local/bin:/usr/bin:/bin" \
		"$python" -I -B "$place/load_worker.py" "$place/request.json" "$place/result.json" \
		< /dev/null > load.log 2>&1 || {
		sed 's/^/ /' load.log
		echo "WRONG $name $step -"
		exit 1
	}
	# What is in it has backslashes, which `echo` may take for something else.
	printf 'LOADED %s %s\n' "$name" "$(head -c 67108864 "$place/result.json" | tr -d '\n')"
	printf 'HAS %s %s\n' "$name" "$(apt-cache pkgnames lib | "$python" -I -B load/library_packages.py "$place/result.json")"
}

begin() {
	step=$1
	echo "STEP $name $step"
}

# The files in old/ or new/ of these packages.
files() {
	place=$1
	shift
	for each in "$@"; do echo "./$place/$each/package.deb"; done
}

# Adds the names of all that an installation brings to a list.
bring() {
	apt install --simulate "$@"
	sed -n 's/^Inst \([^ :]*\).*/\1/p' apt.log | sort -u - brought > more
	mv more brought
}

# The packages in old/ that this one of them needs, by way of others too, with itself: no archive has them.
older() {
	echo "$1" > needed
	count=0
	while test "$count" -lt "$(wc -l < needed)"; do
		count=$(wc -l < needed)
		while read -r each; do
			dpkg-deb --showformat '${Pre-Depends},${Depends}\n' --show "old/$each/package.deb"
		done < needed | tr ',|' '\n\n' | sed 's/^ *//; s/[ :(].*//' | sort -u - needed | comm -12 - olds > more
		mv more needed
	done
	cat needed
}

for place in new old; do
	for deb in "$place"/*.deb; do
		test -e "$deb" || continue
		name=$(dpkg-deb --field "$deb" Package)
		mkdir "$place/$name"
		mv "$deb" "$place/$name/package.deb"
	done
done
(cd new && ls) | sort > names
(cd old && ls) | sort > olds
name=-
if test "${1:-}" = fetch; then
	begin update
	. ./proxies
	# An archive of new/, as autopkgtest makes one: apt knows what there is to depend on.
	for deb in new/*/package.deb; do
		dpkg-deb --field "$deb"
		echo "Filename: ./$deb"
		echo "Size: $(stat --format %s "$deb")"
		echo "SHA256: $(sha256sum "$deb" | cut -d ' ' -f 1)"
		echo
	done > Packages
	echo "deb [trusted=yes] file:$PWD ./" > /etc/apt/sources.list.d/new.list
	apt update
fi
while read -r name; do
	: > brought
	(bring "./new/$name/package.deb") > /dev/null || :
	echo "$(comm -12 brought names | wc -l) $name"
done < names | sort -n | cut -d ' ' -f 2 > order

# What the life of a package needs: in the variables `news` and `olds` its files and those of what it needs of new/ and
# old/, and in `others` the names of what comes from the archive.
plan() {
	begin depends
	: > brought
	bring "./new/$name/package.deb"
	news=$(files new "$name" $(comm -12 brought names | grep -vxF "$name" || :))
	olds=
	if test -e "old/$name"; then
		begin depends-older
		olds=$(files old $(older "$name"))
		bring $olds
	fi
	others=$(sort -u names olds | comm -23 brought -)
}

installed() {
	dpkg-query --showformat '${db:Status-Abbrev}${binary:Package}\n' --show | sed -n 's/^ii *//p' | sort
}

if test "${1:-}" = fetch; then
	while read -r name <&3; do
		plan
		for each in "$news" "$olds" "$others"; do
			test -z "$each" || apt install --download-only $each
		done
	done 3< order
	exit
fi
test ! -d /run/systemd/system || echo BOOTED
installed > first

while read -r name <&3; do
	begin clean
	# It has what it depends on itself, and nothing else.
	others=$(installed | comm -13 first -)
	test -z "$others" || apt purge $others
	plan
	# The files of what it depends on are not its own, whatever happens to them.
	test -z "$others" || apt install $others
	list > before

	if test -n "$olds"; then
		begin install-older
		apt install $olds
		running "$name" > ran
		begin upgrade
		apt install $news
		started start-again
		begin rollback
		apt install $olds
		started start-rolled-back ran
		begin upgrade
		apt install $news
		started start-again
	else
		begin install
		apt install $news
		started start
		begin reinstall
		apt install --reinstall $news
		started start-again
	fi
	again reload
	again restart
	dpkg --verify "$name" | sed 's/.* //' > changed
	step=upgrade
	wrong changed

	if test -d "load/$name"; then
		begin load
		load
	fi

	begin remove
	units "$name" > units
	dpkg-query --listfiles "$name" | sort > files
	dpkg-query --showformat '${Conffiles}\n' --show "$name" | sed 's/^ //; s/ .*//' | sort > configuration
	apt remove "$name"
	comm -23 files configuration | while read -r path; do
		test ! -f "$path" -a ! -L "$path" || dpkg-query --search "$path" > /dev/null 2>&1 || echo "$path"
	done > left
	wrong left
	stopped

	begin purge
	apt purge $(sort -u names olds | xargs dpkg-query --showformat '${Package}\n' --show 2> dpkg.log || :)
	list > after
	comm -3 before after | sed 's/^\t//; s/|.*//' | sort -u | own > left
	wrong left
done 3< order
name=-
begin end
exit $status
