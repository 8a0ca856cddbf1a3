"""cargo without a network, by Debian's toolchain or a developer's, whose output has no trace of this machine."""

from __future__ import annotations

import json
import re
import shlex
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote

from toolkit.build import crate_layout
from toolkit.build.crate_layout import CrateSource
from toolkit.core import process
from toolkit.core.errors import UserError
from toolkit.crates import cargo_lock, cargo_manifest, cargo_options, cargo_workspace, crate_closure
from toolkit.crates.cargo_workspace import Workspace
from toolkit.model import rust_targets
from toolkit.model.crates import CRATES_IO, GIT
from toolkit.model.rust_targets import Machine

#: Whatever is called, an alias too, or by whichever options before it, takes what is there and never asks for more.
#: What is compiled is recorded as `compilers` does it: setuptools-rust goes on without an optional extension.
_STAND_IN = """\
#!/bin/sh
{cargo} {options} "$@"
status=$?
compiles= manifest=Cargo.toml before=
for word do
    case $word in
        --) break ;;
        build | rustc) compiles=1 ;;
        --manifest-path=*) manifest=${{word#*=}} ;;
    esac
    [ "$before" != --manifest-path ] || manifest=$word
    before=$word
done
[ -z "$compiles" ] || printf '%s\t%s\t%s\n' "$status" "$PWD" "$manifest" >> {record} 2> /dev/null
exit $status
"""
#: The files that tell of a source tree's Rust packages.
_TELLING = frozenset({"Cargo.toml", cargo_lock.FILE, "pyproject.toml", "setup.py"})
#: Of a registry, as opposed to its URL: https://doc.rust-lang.org/cargo/reference/registries.html
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
#: Of a git repository, what Cargo.lock says beside its commit.
_GIT_KINDS = ("branch", "tag", "rev")
#: As debhelper's cargo (/usr/share/cargo/bin/cargo) has them.
_FLAGS = ("-Cdebuginfo=2", "--cap-lints=warn")
#: Of a tool that is not shipped.
_CHEAP = {
    "CARGO_PROFILE_RELEASE_OPT_LEVEL": "0",
    "CARGO_PROFILE_RELEASE_LTO": "off",
    "CARGO_PROFILE_RELEASE_DEBUG": "false",
    "CARGO_PROFILE_RELEASE_CODEGEN_UNITS": "16",
    "CARGO_PROFILE_RELEASE_PANIC": "unwind",
}
#: For every build: without it maturin asks, where it sees no cargo, for a program that fetches a toolchain.
SYSTEM_ALONE = {"MATURIN_NO_INSTALL_RUST": "1"}


@dataclass(frozen=True, kw_only=True)
class Toolchain:
    """Where cargo and rustc are, what `rustc -vV` says, and what a build has to see of them beside the system."""

    cargo: Path
    version: str
    home: Path | None = None

    @property
    def host(self) -> str:
        """Return this machine's name as Rust has it, such as `x86_64-unknown-linux-gnu`."""
        return next((line[6:] for line in self.version.splitlines() if line.startswith("host: ")), "")


def toolchain(system: str) -> Toolchain:
    """Return the toolchain of the programs on the path `system`, else a developer's own. Raises `UserError`."""
    found = _toolchain(system)
    if not found:
        raise UserError(
            "cargo is missing, which compiles Rust",
            "`apt install cargo-web rustc-web` (where there are none: cargo rustc), and add the same to Build-Depends "
            "in debian/control",
        )
    return found


@cache
def _toolchain(system: str) -> Toolchain | None:
    cargo, rustc = (shutil.which(name, path=system) for name in ("cargo", "rustc"))
    try:
        if cargo and rustc:
            return Toolchain(cargo=Path(cargo), version=process.read([rustc, "-vV"]))
        if rustc := shutil.which("rustc"):
            # rustup's: its programs choose one of several toolchains, which is at home where no build sees it. They
            # would fetch the one that a rust-toolchain.toml names in the directory they are started in, or above it.
            home = Path(process.read([rustc, "--print", "sysroot"], cwd="/").strip())
            own = home / "bin" / "cargo"
            return Toolchain(cargo=own, version=process.read([home / "bin" / "rustc", "-vV"]), home=home)
    except UserError:
        return None
    return None


def settings(crates: Iterable[CrateSource], directory: str, names: Mapping[str, str]) -> str:
    """Return cargo's settings (config.toml) by which every registry is the directory of `lay_out`.

    `names` are those of registries in manifests, with the `source` of each as Cargo.lock spells it.
    """
    lines = ["[net]", "offline = true", "[source.crates-io]", 'replace-with = "vendored"']
    for source in sorted({item.crate.source for item in crates} - {CRATES_IO}):
        where = _git(source) if source.startswith(GIT) else [f"registry = {crate_layout.registry_index(source)}"]
        lines += [f"[source.{json.dumps(source)}]", *where, 'replace-with = "vendored"']
    for name, source in sorted(names.items()):
        lines += [f"[registries.{json.dumps(name)}]", f"index = {crate_layout.registry_index(source)}"]
    return "\n".join([*lines, "[source.vendored]", f"directory = {json.dumps(directory)}", ""])


def _git(source: str) -> list[str]:
    """Return the place of a git repository, as cargo's settings have it."""
    url, _, query = source.removeprefix(GIT).partition("#")[0].partition("?")
    kind, _, value = query.partition("=")
    return [f"git = {json.dumps(url)}", *([f"{kind} = {json.dumps(unquote(value))}"] if kind in _GIT_KINDS else [])]


def registry_names(workspaces: Iterable[Workspace], crates: Iterable[CrateSource]) -> dict[str, str]:
    """Return what the manifests of a source tree call registries, with the `source` of each.

    Cargo.lock has no such names, and only the settings of whoever wrote them say what they mean; the crates tell.
    """
    sources = {item.crate.name: item.crate.source for item in crates if item.crate.source != CRATES_IO}
    return {
        dependency.elsewhere: sources[dependency.name]
        for workspace in workspaces
        for package in workspace.packages.values()
        for dependency in package.dependencies
        if dependency.name in sources and _NAME.fullmatch(dependency.elsewhere)
    }


def workspaces(source: Path, directory: Path) -> tuple[Workspace, ...] | None:
    """Return the workspaces of a source tree, of which what is built in a directory consists.

    None where they make no sense: cargo says better what is wrong.
    """
    below = cargo_manifest.below("", directory.relative_to(source).as_posix())
    # A build may have left anything here: neither links nor pipes are opened.
    paths = {str(path.relative_to(source)): path for path in source.rglob("*") if path.name in _TELLING}
    names = [name for name, path in paths.items() if path.is_file() and not path.is_symlink()]
    try:
        contents = {name: paths[name].read_bytes() for name in cargo_workspace.wanted(names, str(source), below)}
        return cargo_workspace.of_files(contents, names, str(source), below)
    except UserError:
        return None


def own_options(source: Path, directory: Path, host: str) -> frozenset[str]:
    """Return the conditions that a source tree's own settings turn on for what is built in a directory of it.

    The rest of these settings is for its developers.
    """
    below = cargo_manifest.below("", directory.relative_to(source).as_posix())
    machines = [machine for machine in rust_targets.machines(("linux",)) if machine.triple == host]
    paths = (source / name for name in cargo_workspace.settings_paths(below))
    for path in (path for path in paths if path.is_file() and not path.is_symlink()):
        return cargo_options.options(path.read_bytes(), machines[0] if machines else Machine(host, frozenset()))
    return frozenset()


def is_locked(found: tuple[Workspace, ...] | None, crates: Iterable[CrateSource]) -> bool:
    """Tell whether the workspaces of a source tree have a Cargo.lock that cargo takes as it is.

    An sdist that leaves out packages of its workspace has a lock which still names them: cargo drops them from it. So
    it does with what crates from git need, of which nobody knows anything here.
    """
    if any(item.crate.source.startswith(GIT) for item in crates):
        return False
    return found is None or all(item.lock is not None and not crate_closure.surplus(item) for item in found)


def stand_in(cargo: str, settings: str, record: str, *, locked: bool) -> str:
    """Return a program to call in the place of cargo: `--frozen`, or `--offline` where the lock may change.

    What is in the file `settings` counts before what a source tree's own .cargo/config.toml says; empty for none. It
    appends to `record` a line for each manifest that it compiles: status, directory and path, with tabs between.
    """
    options = ["--frozen" if locked else "--offline", *(["--config", settings] if settings else [])]
    return _STAND_IN.format(cargo=shlex.quote(cargo), options=shlex.join(options), record=shlex.quote(record))


@dataclass(frozen=True, kw_only=True)
class Places:
    """Where a build finds things: cargo's `home`, the `source` tree; `hidden` are directories to leave no trace of.

    `options` are the conditions that the source tree's own settings turn on.
    """

    home: str
    source: str
    hidden: Mapping[str, str]
    options: frozenset[str] = frozenset()


def environment(places: Places, found: Toolchain, link_flags: Sequence[str], *, cheap: bool) -> dict[str, str]:
    """Return the variables of a build. They count before a source tree's own .cargo/config.toml.

    https://doc.rust-lang.org/cargo/reference/config.html
    """
    flags = [f"--remap-path-prefix={path}={name}" for path, name in places.hidden.items()]
    flags += [f"--cfg={option}" for option in sorted(places.options)]
    return {
        "CARGO_HOME": places.home,
        # Where cargo stops to look for settings, and for a workspace, in directories above: without walls of the
        # sandbox's own paths these are the project's, and those of whoever builds. It has no other name for that.
        # https://github.com/rust-lang/cargo/blob/master/crates/cargo-util/src/paths.rs
        "__CARGO_TEST_ROOT": places.source,
        "CARGO_NET_OFFLINE": "true",
        "CARGO_INCREMENTAL": "0",
        "CARGO_TERM_COLOR": "never",
        "RUSTC": "rustc",
        # None: what others compiled before (sccache) is no part of a result.
        "RUSTC_WRAPPER": "",
        "RUSTC_WORKSPACE_WRAPPER": "",
        f"CARGO_TARGET_{found.host.upper().replace('-', '_')}_LINKER": "cc",
        # Flags with blanks between them would not take a path that has some.
        "CARGO_ENCODED_RUSTFLAGS": "\x1f".join([*flags, *(() if cheap else (*_FLAGS, *_linked(link_flags)))]),
        **(_CHEAP if cheap else {"CARGO_PROFILE_RELEASE_STRIP": "none"}),
    }


def _linked(flags: Sequence[str]) -> Iterator[str]:
    """Yield LDFLAGS as rustc takes them, without GCC's own format of code that it optimises as it links."""
    for flag in flags:
        if not flag.startswith(("-flto", "-ffat-lto-objects")):
            yield f"-Clink-arg={flag}"
