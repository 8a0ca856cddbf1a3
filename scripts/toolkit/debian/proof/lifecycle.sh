#!/bin/sh
# The life of each package in new/: installed, upgraded, removed, purged; from one in old/, if there is, and once back to
# that. It is run by autopkgtest as root of a system that is nothing else's, beside these directories. Each step is a line
# `STEP package step`; what is wrong is a line `WRONG package step path`, and the status is then 1. A package with a
# directory in load/ is loaded once, by the interpreter that a file there names: what failed is a line `LOADED package
# json`, and the Debian packages of libraries that were missing then are a line `HAS package json`.
#
# What depends on others of new/ comes after them, and they live and end with it.
set -eu
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8
status=0

apt() {
	apt-get --quiet --yes --no-install-recommends --allow-downgrades "$@" < /dev/null > apt.log 2>&1 || {
		cat apt.log
		echo "WRONG $name $step -"
		exit 1
	}
}

# Every path with its kind, mode, owner and target, and with the sum of what is in it; not what any installation changes.
list() {
	set -- / -xdev
	for place in /dev /proc /run /sys /tmp /var/cache/apt /var/cache/debconf /var/cache/ldconfig /var/lib/apt \
		/var/lib/dpkg /var/log/apt /var/log/alternatives.log /var/log/dpkg.log /var/tmp /etc/ld.so.cache; do
		set -- "$@" -path "$place" -prune -o
	done
	find "$@" -printf '%p|%y %m %U:%G %l\n' > paths
	find "$@" -type f -exec md5sum {} + | sed 's/^\([^ ]*\)  \(.*\)/\2|\1/' > sums
	sort paths sums
}

wrong() {
	while read -r path; do
		echo "WRONG $name $step $path"
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
		cat load.log
		echo "WRONG $name $step -"
		exit 1
	}
	echo "LOADED $name $(head -c 67108864 "$place/result.json" | tr -d '\n')"
	echo "HAS $name $(apt-cache pkgnames lib | "$python" -I -B load/library_packages.py "$place/result.json")"
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
step=order
while read -r name; do
	: > brought
	(bring "./new/$name/package.deb") > /dev/null || :
	echo "$(comm -12 brought names | wc -l) $name"
done < names | sort -n | cut -d ' ' -f 2 > order

while read -r name <&3; do
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
	# The files of what it depends on are not its own, whatever happens to them.
	others=$(sort -u names olds | comm -23 brought -)
	test -z "$others" || apt install $others
	list > before

	if test -n "$olds"; then
		begin install-older
		apt install $olds
		begin upgrade
		apt install $news
		begin rollback
		apt install $olds
		begin upgrade
		apt install $news
	else
		begin install
		apt install $news
		begin reinstall
		apt install --reinstall $news
	fi
	dpkg --verify "$name" | sed 's/.* //' > changed
	wrong changed

	if test -d "load/$name"; then
		begin load
		load
	fi

	begin remove
	dpkg-query --listfiles "$name" | sort > files
	dpkg-query --showformat '${Conffiles}\n' --show "$name" | sed 's/^ //; s/ .*//' | sort > configuration
	apt remove "$name"
	comm -23 files configuration | while read -r path; do
		test ! -f "$path" -a ! -L "$path" || dpkg-query --search "$path" > /dev/null 2>&1 || echo "$path"
	done > left
	wrong left

	begin purge
	apt purge $(sort -u names olds | xargs dpkg-query --showformat '${Package}\n' --show 2> dpkg.log || :)
	list > after
	comm -3 before after | sed 's/^\t//; s/|.*//' | sort -u > left
	wrong left
done 3< order
exit $status
