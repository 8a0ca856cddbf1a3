#!/bin/sh
# After packages are installed, in the root: what makes a system a Vagrant box,
# https://developer.hashicorp.com/vagrant/docs/boxes/base. The key is in /tmp/box, and so is grub.cfg.
set -eu

useradd --create-home --shell /bin/bash vagrant
install -d -m 700 -o vagrant -g vagrant /home/vagrant/.ssh
install -m 600 -o vagrant -g vagrant /tmp/box/vagrant.pub /home/vagrant/.ssh/authorized_keys
echo 'vagrant ALL=(ALL:ALL) NOPASSWD: ALL' > /etc/sudoers.d/vagrant
chmod 440 /etc/sudoers.d/vagrant

# What every stand has; it takes long where the processor is emulated, and so does the index of manual pages.
echo "$1 UTF-8" > /etc/locale.gen
locale-gen > /dev/null
rm -f /var/lib/man-db/auto-update

# Each machine makes keys of its own, before sshd looks for them; of the kinds that an emulated processor makes quickly.
rm -f /etc/ssh/ssh_host_*
mkdir -p /etc/systemd/system/ssh.service.d
cat > /etc/systemd/system/ssh.service.d/host-keys.conf <<'UNIT'
[Service]
ExecStartPre=
ExecStartPre=/bin/sh -c 'cd /etc/ssh; for kind in ecdsa ed25519; do \
    test -s ssh_host_$${kind}_key || ssh-keygen -q -t $$kind -N "" -f ssh_host_$${kind}_key; done'
ExecStartPre=/usr/sbin/sshd -t
UNIT
printf '%s\n' 'UseDNS no' 'HostKey /etc/ssh/ssh_host_ecdsa_key' 'HostKey /etc/ssh/ssh_host_ed25519_key' \
    > /etc/ssh/sshd_config.d/box.conf
# Whoever provisions decides when apt runs; a second one would hold its lock.
systemctl --quiet disable apt-daily.timer apt-daily-upgrade.timer
# What apt knows of the archive is no part of a box, though its directory looks as if it were new.
mkdir -p /var/lib/apt/periodic
touch --date=@0 /var/lib/apt/periodic/update-success-stamp

cat > /etc/systemd/network/80-box.network <<'UNIT'
[Match]
Name=en* eth*

[Network]
DHCP=yes

[DHCPv4]
# A server tells machines apart by their cards: each makes an identity of its own.
ClientIdentifier=mac
UNIT
systemctl --quiet enable systemd-networkd systemd-resolved ssh
ln -sf ../run/systemd/resolve/stub-resolv.conf /etc/resolv.conf

echo 'LABEL=box / ext4 defaults,errors=remount-ro 0 1' > /etc/fstab
echo box > /etc/hostname
printf '127.0.0.1 localhost\n127.0.1.1 box\n::1 localhost ip6-localhost ip6-loopback\n' > /etc/hosts
: > /etc/machine-id

# Kernel packages keep links to the newest one: Debian's in /, Ubuntu's in /boot.
mkdir -p /boot/grub
install -m 644 /tmp/box/grub.cfg /boot/grub/grub.cfg
rm -r /tmp/box
