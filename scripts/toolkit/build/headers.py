"""The Debian package with the header, library or program that a failed build did not find."""

from __future__ import annotations

import re
import shutil

from toolkit.core import process
from toolkit.core.errors import UserError

#: Headers, libraries and programs that Python distributions ask for most, where apt-file is not installed.
_PACKAGES = {
    "Python.h": "python3-dev",
    "ffi.h": "libffi-dev",
    "openssl/ssl.h": "libssl-dev",
    "openssl/opensslv.h": "libssl-dev",
    "libpq-fe.h": "libpq-dev",
    "pg_config": "libpq-dev",
    "mysql.h": "default-libmysqlclient-dev",
    "mysql_config": "default-libmysqlclient-dev",
    "zlib.h": "zlib1g-dev",
    "bzlib.h": "libbz2-dev",
    "lzma.h": "liblzma-dev",
    "zstd.h": "libzstd-dev",
    "lz4.h": "liblz4-dev",
    "libxml/xmlversion.h": "libxml2-dev",
    "xml2-config": "libxml2-dev",
    "libxslt/xsltconfig.h": "libxslt1-dev",
    "xslt-config": "libxslt1-dev",
    "sasl/sasl.h": "libsasl2-dev",
    "ldap.h": "libldap-dev",
    "lber.h": "libldap-dev",
    "curl/curl.h": "libcurl4-openssl-dev",
    "curl-config": "libcurl4-openssl-dev",
    "yaml.h": "libyaml-dev",
    "jpeglib.h": "libjpeg-dev",
    "ft2build.h": "libfreetype-dev",
    "sqlite3.h": "libsqlite3-dev",
    "gmp.h": "libgmp-dev",
    "uuid/uuid.h": "uuid-dev",
    "systemd/sd-daemon.h": "libsystemd-dev",
    "sys/capability.h": "libcap-dev",
    "libvirt/libvirt.h": "libvirt-dev",
    "apt-pkg/init.h": "libapt-pkg-dev",
    "rados/librados.h": "librados-dev",
    "krb5.h": "libkrb5-dev",
    "gssapi/gssapi.h": "libkrb5-dev",
    "snappy.h": "libsnappy-dev",
    "librdkafka/rdkafka.h": "librdkafka-dev",
    "sodium.h": "libsodium-dev",
    "pcap.h": "libpcap-dev",
    "event.h": "libevent-dev",
    "re2/re2.h": "libre2-dev",
    "gcc": "build-essential",
    "cc": "build-essential",
    "x86_64-linux-gnu-gcc": "build-essential",
    "aarch64-linux-gnu-gcc": "build-essential",
    "g++": "build-essential",
    "x86_64-linux-gnu-g++": "build-essential",
    "make": "make",
    "cmake": "cmake",
    "ninja": "ninja-build",
    "pkg-config": "pkgconf",
    "swig": "swig",
    "cargo": "cargo",
    "rustc": "rustc",
    "gfortran": "gfortran",
}

# A source that is not there is the sdist's fault, which no package mends.
_HEADER = re.compile(r"fatal error: (?P<name>[\w./+-]+(?<!\.c)(?<!\.cc)(?<!\.cpp)): No such file or directory")
_LIBRARY = re.compile(r"ld(?:\.\w+)?: cannot find -l(?P<name>[\w+.-]+)")
_PROGRAM = re.compile(
    r"(?:error: command '(?P<a>[\w+.-]+)' failed: No such file|(?P<b>[\w+.-]+): (?:command )?not found"
    r"|No such file or directory: '(?P<c>[\w+.-]+)')"
)


def suggestion(output: str) -> str:
    """Return one line on the Debian package to install for a build's output, or nothing when it does not tell."""
    header = _HEADER.search(output)
    if header:
        return _install(header["name"], f"/{header['name']}")
    library = _LIBRARY.search(output)
    if library:
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
    packages = sorted(
        {line.partition(":")[0] for line in lines}, key=lambda name: (not name.endswith("-dev"), len(name))
    )
    return packages[0] if packages else ""
