"""The cases that make Debian packages."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import dh_virtualenv
import measure
from cases import Bench, Row, Size
from measure import Timing

_HERE = Path(__file__).resolve().parent


def deb(bench: Bench) -> list[Row]:
    """The package again after a change of the service's code, beside plain dh on the finished tree."""
    bench.make("deb")
    runs = []
    for number in range(3):
        source = bench.project / "reference_service" / "yc_reference_service" / "__init__.py"
        source.write_text(source.read_text() + f"\nCHANGE_{number} = True\n")
        runs.append(bench.make("deb"))
    warm = measure.median(runs)
    plain = bench.run("dpkg-buildpackage", "-us", "-uc", "-b", cwd=_plain_package(bench))
    return [Row("make deb, service changed", warm, "plain dh + xz of the finished tree", plain, "0.25 and 10 s")]


def _plain_package(bench: Bench) -> Path:
    """Return a source package whose only work is to install the finished tree, as dh and dpkg-deb do by themselves."""
    directory = bench.work / "plain"
    shutil.rmtree(directory, ignore_errors=True)
    shutil.copytree(bench.project / "debian", directory / "debian", ignore=shutil.ignore_patterns("yc-*", ".debhelper"))
    bench.make("install", f"DESTDIR={directory}/tree")
    rules = "#!/usr/bin/make -f\n%:\n\tdh $@\noverride_dh_auto_install:\n\tcp -a tree/. debian/yc-reference-service/\n"
    (directory / "debian" / "rules").write_text(rules)
    control = (directory / "debian" / "control").read_text()
    (directory / "debian" / "control").write_text(control.replace("${python3:Depends}, ", ""))
    return directory


def source(bench: Bench) -> list[Row]:
    """Exporting and packing the source, beside plain tar and gzip of the same files."""
    target = bench.work / "source"
    runs = [bench.run(sys.executable, _HERE / "pack.py", bench.project, target) for _ in range(3)]
    vendor = sum(path.stat().st_size for path in (bench.project / "vendor").iterdir())
    tar = ["tar", "--exclude-vcs", "--exclude=build", "--exclude=dist", "--create", "--file", target / "all.tar.gz"]
    plain = bench.run(*map(str, tar), "--use-compress-program=gzip -1", ".")
    what = f"export and pack, vendor/ {vendor / 1e6:.0f} MB"
    return [Row(what, measure.median(runs), "tar | gzip -1 of the same files", plain, "2 s")]


def sbuild(bench: Bench) -> list[Row]:
    """A build in a clean chroot that is there already, beside `make deb` from cold and unpacking that chroot."""
    suite = platform.freedesktop_os_release()["VERSION_CODENAME"]
    assert bench.project
    variables = [f"SUITES={suite}", "VERSION_SUFFIX="]
    bench.make("chroot", f"SUITE={suite}")
    clean = bench.make("sbuild", *variables)
    # The same compression as for production.
    cold = bench.cold("deb", "DEB_COMPRESSION=xz:9")
    unpacking = _unpack_chroot(bench)
    both = Timing(cold.seconds + unpacking.seconds, cold.cpu + unpacking.cpu, cold.memory)
    return [Row("make sbuild, chroot present", clean, "make deb, cold + the chroot's unpacking", both, "1.3")]


def start(bench: Bench) -> list[Row]:
    """The first start of a package that has just been installed, for a user who cannot write there, and the second."""
    dist = bench.project / "dist"
    bench.make("deb")
    [package] = dist.glob("yc-reference-service_*.deb")
    target = bench.work / "installed"
    first, second = [], []
    for _ in range(9):
        shutil.rmtree(target, ignore_errors=True)
        subprocess.run(["dpkg-deb", "--extract", package, target], check=True)
        # As dpkg does when it installs.
        os.sync()
        # Below a /usr/lib of its own, where nothing can be written.
        mount = f"mount -t overlay overlay -o lowerdir={target}/usr/lib:/usr/lib /usr/lib"
        words = [
            "unshare",
            "--map-root-user",
            "--mount",
            "sh",
            "-c",
            f"{mount} && exec /usr/lib/yc/reference-service/bin/yc-reference-service",
        ]
        first.append(bench.run(*words))
        second.append(bench.run(*words))
    return [
        Row("first start", measure.median(first), "second start", measure.median(second), "1.05"),
        # Which others on the machine disturb less.
        Row(
            "first start, processor",
            measure.processor(first),
            "second start, processor",
            measure.processor(second),
            "1.05",
        ),
    ]


def size(bench: Bench) -> list[Size]:
    """How large the package is, compressed for production and without what nobody reads, beside dh-virtualenv's."""
    dist = bench.project / "dist"
    bench.make("deb", "DEB_COMPRESSION=xz:9")
    [ours] = dist.glob("yc-reference-service_*.deb")
    theirs = dh_virtualenv.build(bench)
    return [
        Size(
            "package, xz:9, pruned",
            ours.stat().st_size / 1e6,
            "dh-virtualenv, same versions",
            theirs.stat().st_size / 1e6,
            "0.8",
        ),
        Size("installed", _installed(ours), "dh-virtualenv, same versions", _installed(theirs), "-"),
    ]


def _installed(package: Path) -> float:
    shown = subprocess.run(["dpkg-deb", "--field", package, "Installed-Size"], check=True, capture_output=True)
    return int(shown.stdout) * 1024 / 1e6


def _unpack_chroot(bench: Bench) -> Timing:
    [tarball] = (bench.work / "cache" / "python-common" / "chroots").glob("*.tar.zst")
    target = bench.work / "chroot"
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir()
    return bench.run("tar", "--extract", "--exclude=./dev/*", "--file", tarball, "--directory", target)
