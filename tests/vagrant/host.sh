#!/bin/sh
# In a network and a mount namespace of its own: libvirt with its state in the directory $1, so that nothing of it stays, and
# the host's own libvirt, if there is one, hears nothing of it.
set -eu
mkdir -p "$1/etc" "$1/lib/qemu" "$1/lib/images" "$1/lib/boot" "$1/lib/dnsmasq" "$1/run" "$1/cache"
cp -a /etc/libvirt/. "$1/etc"
# There is no systemd to ask for control groups, and no daemon for logs. QEMU is whoever develops here: root.
cat > "$1/etc/qemu.conf" <<'CONF'
user = "root"
group = "root"
stdio_handler = "file"
security_driver = "none"
cgroup_controllers = [ ]
namespaces = [ ]
CONF
mount --make-rprivate /
mkdir -p /run/libvirt /var/cache/libvirt
mount --bind "$1/etc" /etc/libvirt
mount --bind "$1/lib" /var/lib/libvirt
mount --bind "$1/run" /run/libvirt
mount --bind "$1/cache" /var/cache/libvirt
exec libvirtd --pid-file "$1/pid" > "$1/log" 2>&1
