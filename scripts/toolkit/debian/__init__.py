"""Debian packages: source packages, builds, chroots."""
