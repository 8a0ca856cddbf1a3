"""Seats: a user with a home, a cache and a project of its own, where one attack at a time takes place."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.torture import distributions

TOOLKIT = Path(__file__).resolve().parents[2]
WARD = Path(__file__).with_name("ward.py")
#: An id that nobody has: as unprivileged as can be.
STRANGER = 64123
#: Whatever begins with this is a secret, and nothing that is built may know it.
CANARY = "CANARY-"
#: How long a verb may take that is not told to be quick.
PATIENCE = 120.0
CONTROL = """\
Source: yc-tortured
Section: python
Priority: optional
Maintainer: A B <a@example.com>
Build-Depends: debhelper-compat (= 13), python3-dev, python3-packaging
Standards-Version: 4.6.2

Package: yc-app
Architecture: all
Depends: ${misc:Depends}, ${python3:Depends}
Description: service
 It serves.
"""
CHANGELOG = """\
yc-tortured (1.0) bookworm; urgency=medium

  * First.

 -- A B <a@example.com>  Thu, 01 Jan 2026 00:00:00 +0000
"""
GIT = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com"]

Tree = Mapping[str, str]


@dataclass(frozen=True)
class Done:
    """How a command ended, what it printed, and what the ward saw of it (see ward.py)."""

    status: int
    output: str
    seen: Mapping[str, Any]

    @property
    def errors(self) -> list[str]:
        return [line for line in self.output.splitlines() if line.startswith("error: ")]


@dataclass
class Seat:
    """A place below `root` for one user; `secret` is what stands in its private files."""

    root: Path
    uid: int
    template: Path
    index: str
    settings: Mapping[str, str] = field(default_factory=dict)
    secret: str = ""
    #: A project to begin with instead of the template: one whose vendor/ is there, and committed.
    ready: Path | None = None

    @property
    def who(self) -> str:
        return "user" if self.uid else "root"

    @property
    def home(self) -> Path:
        return self.root / "home"

    @property
    def cache(self) -> Path:
        return self.home / ".cache" / "python-common"

    @property
    def project(self) -> Path:
        return self.root / "project"

    def reset(self, *requirements: str, warm: Path | None = None) -> None:
        """Begin anew: a fresh home and project, and the cache `warm`, of which the tools are left as they are."""
        self.secret = CANARY + os.urandom(8).hex()
        remove(self.project)
        self.home.mkdir(parents=True, exist_ok=True)
        for entry in self.home.iterdir():
            if entry.name != ".cache":
                remove(entry)
        if self.cache.is_dir():
            for entry in self.cache.iterdir():
                if entry.name != "tools":
                    remove(entry)
        self.run(
            ["cp", "-a", "--no-preserve=ownership", str(self.ready or self.template), str(self.project)], at=self.root
        )
        if warm:
            self.run(["cp", "-a", "--no-preserve=ownership", f"{warm}/.", str(self.cache)], at=self.root)
        self._plant_secrets()
        self.require(*requirements)

    def require(self, *requirements: str, vendor_txt: Sequence[str] = ()) -> None:
        """Let the service require this."""
        self.write("app/requirements.txt", "".join(f"{line}\n" for line in requirements))
        self.write("app/vendor.txt", "".join(f"{line}\n" for line in vendor_txt))

    def write(self, name: str, text: str, *, mode: int = 0o644, base: Path | None = None) -> None:
        """Write a file of the project (or below `base`) as this seat's user."""
        path = (base or self.project) / name
        for parent in reversed(path.parents):
            if not parent.exists():
                parent.mkdir()
                self._own(parent)
        path.write_text(text)
        path.chmod(mode)
        self._own(path)

    def _own(self, path: Path) -> None:
        if self.uid != os.geteuid():
            os.chown(path, self.uid, self.uid)

    def make(self, *goals: str, seconds: float = PATIENCE, settings: Mapping[str, str] = MappingProxyType({})) -> Done:
        """Run make with these goals and settings, in a ward."""
        words = [f"{key}={value}" for key, value in settings.items()]
        return self.warded(["make", *goals, *words], seconds=seconds)

    def warded(
        self,
        argv: Sequence[str],
        *,
        seconds: float = PATIENCE,
        kill_after: float | None = None,
        project: Path | None = None,
        tag: str = "",
    ) -> Done:
        """Run a command in a ward, with a bystander of the same user beside it that keeps a secret."""
        at = self.root / f"ward{tag}"
        at.mkdir(exist_ok=True)
        request = {
            "argv": list(argv),
            "cwd": str(project or self.project),
            "env": self.environment(),
            "uid": self.uid,
            "gid": self.uid,
            "seconds": seconds,
            "kill_after": kill_after,
            "bystander": ["/usr/bin/python3", "-I", "-c", "import time; time.sleep(1e5)", self.secret],
            "output": str(at / "output"),
            "report": str(at / "report.json"),
        }
        (at / "report.json").unlink(missing_ok=True)
        (at / "request.json").write_text(json.dumps(request))
        subprocess.run([*_wall(), sys.executable, "-I", str(WARD), str(at / "request.json")], check=True)
        seen = json.loads((at / "report.json").read_text())
        with (at / "output").open("rb") as stream:
            output = stream.read(20_000_000).decode(errors="replace")
        return Done(seen["status"], output, seen | {"output": (at / "output").stat().st_size})

    def run(self, argv: Sequence[str], *, at: Path | None = None) -> str:
        """Run a command of the harness itself as this seat's user."""
        identity: dict[str, Any] = {}
        if self.uid != os.geteuid():
            identity = {"user": self.uid, "group": self.uid, "extra_groups": []}
        done = subprocess.run(
            argv,
            cwd=at or self.project,
            env=self.environment(),
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            **identity,
        )
        output = str(done.stdout, errors="replace")
        if done.returncode:
            raise RuntimeError(f"{argv}: {output}")
        return output

    def git(self, *words: str) -> str:
        """Run git in the project."""
        return self.run([*GIT, *words])

    def environment(self) -> dict[str, str]:
        """Return the environment of a user with a secret in it."""
        return {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(self.home),
            "LC_ALL": "C.UTF-8",
            "INDEX_URL": self.index,
            "AWS_SECRET_ACCESS_KEY": self.secret,
            **self.settings,
            "GIT_AUTHOR_NAME": "A",
            "GIT_AUTHOR_EMAIL": "a@example.com",
            "GIT_COMMITTER_NAME": "A",
            "GIT_COMMITTER_EMAIL": "a@example.com",
        }

    def leftovers(self) -> list[str]:
        """Return what a run makes for itself and should have removed."""
        patterns = ("*.tmp", ".*.old", "tmp*", "*/*.tmp")
        found = [
            path
            for place in (self.root, self.project, self.home / ".virtualenvs", self.cache)
            for pattern in patterns
            for path in place.glob(pattern)
        ]
        found = [path for path in found if path != self.cache / "tmp"] + [*(self.cache / "tmp").glob("*")]
        return sorted({str(path.relative_to(self.root)) for path in found})

    def _plant_secrets(self) -> None:
        secret = self.secret
        for name, text in {
            ".ssh/id_ed25519": secret,
            ".netrc": f"machine index.example login me password {secret}\n",
            ".config/pip/pip.conf": f"# {secret}\n[global]\ntimeout = 30\n",
            "other-project/settings.py": f"PASSWORD = '{secret}'\n",
        }.items():
            self.write(name, text, mode=0o600, base=self.home)
        self.write("private.txt", secret, mode=0o600, base=self.root)


def _wall() -> list[str]:
    """Return the command prefix of a process namespace that ends with its command."""
    mapped = [] if os.geteuid() == 0 else ["--user", "--map-current-user"]
    return ["unshare", *mapped, "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc", "--"]


def make_template(directory: Path) -> Path:
    """Make the project that seats copy: a service, its package, the toolkit in common/, committed."""
    ignored = shutil.ignore_patterns("__pycache__")
    for name in ("scripts", "yc_common"):
        shutil.copytree(TOOLKIT / name, directory / "common" / name, symlinks=True, ignore=ignored)
    for name in ("project.mk", "create-virtual-environment", "README.md", "requirements.txt", "setup.py"):
        shutil.copy(TOOLKIT / name, directory / "common" / name)
    # Byte code that is there already is a change to nothing.
    subprocess.run(["/usr/bin/python3", "-m", "compileall", "-q", str(directory / "common" / "scripts")], check=True)
    (directory / "Makefile").symlink_to("common/project.mk")
    (directory / "create-virtual-environment").symlink_to("common/create-virtual-environment")
    contents: dict[str, distributions.Content] = {
        ".gitignore": "/build/\n/dist/\n__pycache__/\n",
        "debian/control": CONTROL,
        "debian/changelog": CHANGELOG,
        "debian/source/format": "3.0 (native)\n",
        "debian/rules": "#!/usr/bin/make -f\n%:\n\tdh $@\n",
        "app/bin/yc-app": "#!/usr/bin/env python3\nimport app\n",
        "app/requirements.txt": "",
        **{f"app/{path}": content for path, content in distributions.tree("app").items() if path != "PKG-INFO"},
    }
    contents["app/pyproject.toml"] = f'{distributions.build_system()}[project]\nname = "app"\nversion = "1.0"\n'
    for path, content in contents.items():
        file = directory / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content.encode() if isinstance(content, str) else content)
    for path in ("debian/rules", "app/bin/yc-app"):
        (directory / path).chmod(0o755)
    for words in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "x"]):
        subprocess.run([*GIT, "-C", str(directory), *words], check=True)
    return directory


def snapshot(directory: Path, *left_out: str) -> dict[str, str]:
    """Return the files, links and directories below a directory, each with its mode and what is in it."""
    found = {}
    for path in _walk(directory, {directory / name for name in left_out}):
        name, status = str(path.relative_to(directory)), path.lstat()
        if path.is_symlink():
            found[name] = f"-> {os.readlink(path)}"
        elif path.is_file():
            found[name] = f"{status.st_mode:o} {hashlib.sha256(path.read_bytes()).hexdigest()}"
        else:
            found[name] = f"{status.st_mode:o}"
    return found


def _walk(directory: Path, left_out: set[Path]) -> Iterator[Path]:
    if not directory.is_dir():
        return
    for entry in sorted(directory.iterdir()):
        if entry in left_out:
            continue
        yield entry
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry, left_out)


def differences(before: Tree, after: Tree) -> list[str]:
    """Return the names that are not the same in both."""
    return sorted(name for name in {*before, *after} if before.get(name) != after.get(name))


def size(directory: Path) -> int:
    """Return the bytes that a tree takes on disk."""
    return sum(path.lstat().st_blocks * 512 for path in _walk(directory, set()))


def own(directory: Path, uid: int) -> None:
    """Give a tree to a user."""
    if uid != os.geteuid():
        subprocess.run(["chown", "-R", "--no-dereference", f"{uid}:{uid}", str(directory)], check=True)


def remove(path: Path) -> None:
    """Remove a tree whatever is in it: deep, unreadable or immutable."""
    if path.is_dir() and not path.is_symlink():
        if subprocess.run(["rm", "-rf", "--", str(path)], stderr=subprocess.DEVNULL, check=False).returncode:
            subprocess.run(["chattr", "-R", "-i", "-a", str(path)], stderr=subprocess.DEVNULL, check=False)
            subprocess.run(["chmod", "-R", "u+rwX", str(path)], stderr=subprocess.DEVNULL, check=False)
            subprocess.run(["rm", "-rf", "--", str(path)], check=True)
    else:
        path.unlink(missing_ok=True)
