"""The Debian package with the header, library or program that a failed build did not find."""

from __future__ import annotations

import re
import shutil

from toolkit.core import process
from toolkit.core.errors import UserError

#: The headers and programs that Python distributions need most, by their packages; others are looked up by apt-file.
_NAMES = {
    "build-essential": "gcc cc x86_64-linux-gnu-gcc aarch64-linux-gnu-gcc g++ x86_64-linux-gnu-g++",
    "cargo": "cargo",
    "cmake": "cmake",
    "default-libmysqlclient-dev": "mysql.h mysql_config",
    "gfortran": "gfortran",
    "libapt-pkg-dev": "apt-pkg/init.h",
    "libbz2-dev": "bzlib.h",
    "libcap-dev": "sys/capability.h",
    "libcurl4-openssl-dev": "curl/curl.h curl-config",
    "libevent-dev": "event.h",
    "libffi-dev": "ffi.h",
    "libfreetype-dev": "ft2build.h",
    "libgmp-dev": "gmp.h",
    "libjpeg-dev": "jpeglib.h",
    "libkrb5-dev": "krb5.h gssapi/gssapi.h",
    "libldap-dev": "ldap.h lber.h",
    "liblz4-dev": "lz4.h",
    "liblzma-dev": "lzma.h",
    "libpcap-dev": "pcap.h",
    "libpq-dev": "libpq-fe.h pg_config",
    "librados-dev": "rados/librados.h",
    "librdkafka-dev": "librdkafka/rdkafka.h",
    "libre2-dev": "re2/re2.h",
    "libsasl2-dev": "sasl/sasl.h",
    "libsnappy-dev": "snappy.h",
    "libsodium-dev": "sodium.h",
    "libsqlite3-dev": "sqlite3.h",
    "libssl-dev": "openssl/ssl.h openssl/opensslv.h",
    "libsystemd-dev": "systemd/sd-daemon.h",
    "libvirt-dev": "libvirt/libvirt.h",
    "libxml2-dev": "libxml/xmlversion.h xml2-config",
    "libxslt1-dev": "libxslt/xsltconfig.h xslt-config",
    "libyaml-dev": "yaml.h",
    "libzstd-dev": "zstd.h",
    "make": "make",
    "ninja-build": "ninja",
    "pkgconf": "pkg-config",
    "python3-dev": "Python.h",
    "rustc": "rustc",
    "swig": "swig",
    "uuid-dev": "uuid/uuid.h",
    "zlib1g-dev": "zlib.h",
}
_PACKAGES = {name: package for package, names in _NAMES.items() for name in names.split()}

# A source that is not there is the sdist's fault, which no package mends.
_HEADER = re.compile(r"fatal error: (?P<name>[\w./+-]+(?<!\.c)(?<!\.cc)(?<!\.cpp)): No such file or directory")
_LIBRARY = re.compile(r"ld(?:\.\w+)?: cannot find -l(?P<name>[\w+.-]+)")
_PROGRAM = re.compile(
    r"(?:error: command '(?P<a>[\w+.-]+)' failed: No such file|(?P<b>[\w+.-]+): (?:command )?not found"
    r"|No such file or directory: '(?P<c>[\w+.-]+)')"
)


def suggestion(output: str) -> str:
    """Return one line on the Debian package to install for a build's output, or nothing when it does not tell."""
    if header := _HEADER.search(output):
        return _install(header["name"], f"/{header['name']}")
    if library := _LIBRARY.search(output):
        return _install(f"lib{library['name']}.so", f"/lib{library['name']}.so")
    program = next((name for match in _PROGRAM.finditer(output) for name in match.groups() if name in _PACKAGES), "")
    return _install(program, f"/bin/{program}") if program else ""


def _install(name: str, path: str) -> str:
    package = _PACKAGES.get(name) or _apt_file(path)
    if not package:
        return f"{name} is missing: find its package with `apt-file search {path}`"
    return f"{name} is missing: `apt install {package}`, and add {package} to Build-Depends in debian/control"


def _apt_file(path: str) -> str:
    if not shutil.which("apt-file"):
        return ""
    try:
        lines = process.read(["apt-file", "search", "--regexp", f"{re.escape(path)}$"]).splitlines()
    except UserError:
        return ""
    packages = {line.partition(":")[0] for line in lines}
    return min(packages, key=lambda name: (not name.endswith("-dev"), len(name), name), default="")
