"""Foreign code sees its own files and nothing of this machine, and leaves nothing behind."""

from __future__ import annotations

import errno
import itertools
import os
import resource
import socket
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from toolkit.core import files
from toolkit.core.errors import UserError
from toolkit.core.process import CommandError
from toolkit.sandbox import bubblewrap, confined, limits
from toolkit.sandbox.confined import Means, Sandbox
from toolkit.sandbox.limits import LimitError
from toolkit.sandbox.view import View

PYTHON = "/usr/bin/python3"
#: What runs inside is the system's own interpreter, whichever runs these.
pytestmark = pytest.mark.slow


class Box:
    """A sandbox with one writable directory at /build/work."""

    def __init__(self, root: Path, sandbox: Sandbox) -> None:
        self.sandbox, self.log = sandbox, root / "log"
        self.work, self.temporary = root / "work", root / "temporary"
        for path in (self.work, self.temporary):
            path.mkdir()
        self.view = View(temporary=self.temporary, writable={"/build/work": self.work})
        self.search_path = "/usr/bin"

    def python(self, code: str, **limits: int) -> str:
        """Run Python code inside and return what it printed."""
        sandbox = replace(self.sandbox, limits=replace(self.sandbox.limits, **limits))
        return sandbox.run(
            [PYTHON, "-I", "-c", code],
            self.view,
            directory=sandbox.place("/build/work", self.view),
            environment={"PATH": self.search_path},
            log=self.log,
        )


def built_by(means: Means, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    if fault := confined._try(means):
        pytest.skip(f"this kernel allows no such sandbox: {fault}")
    monkeypatch.setattr(confined, "_find_means", lambda: (means, None))
    made = Box(tmp_path, replace(confined.default(), mode="required"))
    yield made
    for path in (made.work, made.temporary):
        # shutil.rmtree of Python 3.11, which pytest uses, fails on deep directories.
        files.remove(path)


@pytest.fixture(params=[Means.USER, *([Means.ROOT] if os.geteuid() == 0 else [])])
def box(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """Give a sandbox in namespaces that a user makes, and for root in those that root makes."""
    yield from built_by(request.param, tmp_path, monkeypatch)


@pytest.fixture
def lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    """Give a sandbox by Landlock."""
    yield from built_by(Means.LANDLOCK, tmp_path, monkeypatch)


@pytest.fixture
def server() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as found:
        yield found


def test_its_own_directories_are_at_the_same_paths_and_may_be_written_to(box: Box) -> None:
    assert box.python("import os; print(os.getcwd()); open('made', 'w').write('here')") == "/build/work\n"
    assert (box.work / "made").read_text() == "here"


def test_nothing_of_this_machine_can_be_seen(box: Box, tmp_path: Path) -> None:
    places = [
        "/home",
        "/root",
        "/run",
        "/var/lib",
        "/srv",
        "/etc/shadow",
        "/etc/pip.conf",
        "/sys",
        str(tmp_path),
        *sys.path,
    ]
    seen = box.python(f"import os; print([p for p in {places!r} if os.path.exists(p) and not p.startswith('/usr/')])")
    assert seen == "[]\n"
    assert box.python("import os; print(os.listdir('/tmp'), os.listdir('/build'))") == "[] ['work']\n"


def test_a_private_mask_keeps_nothing_from_it(box: Box, tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        (tmp_path / "environment" / "inner").mkdir(parents=True)
        (tmp_path / "environment" / "inner" / "file").write_text("read")
        (box.work / "private").mkdir()
        box.view = replace(box.view, readable={"/build/environment": tmp_path / "environment"})
        code = "print(open('/build/environment/inner/file').read()); open('private/new', 'w')"
        assert box.python(code) == "read\n"
    finally:
        os.umask(before)


def test_the_system_cannot_be_written_to(box: Box) -> None:
    code = """
import os
for path in ("/x", "/usr/x", "/etc/x", "/dev/x", "/build/x", "/proc/sys/kernel/domainname", "/var/x"):
    try:
        open(path, "w")
        print(path)
    except OSError:
        pass
"""
    assert box.python(code) == ""


def test_no_process_of_others_can_be_seen_or_reached(box: Box) -> None:
    seen = box.python("import os; print(len([n for n in os.listdir('/proc') if n.isdigit()]))")
    assert int(seen) <= 3
    with pytest.raises(CommandError):
        box.python(f"import os; os.kill({os.getpid()}, 9)")


def test_it_has_no_privileges(box: Box) -> None:
    status = box.python("print(open('/proc/self/status').read())")
    fields = dict(line.split(":", 1) for line in status.splitlines() if ":" in line)
    assert {int(fields[f"Cap{kind}"], 16) for kind in ("Inh", "Prm", "Eff", "Bnd", "Amb")} == {0}
    assert fields["NoNewPrivs"].strip() == "1"
    assert fields["Seccomp"].strip() == "2"
    assert "0" not in fields["Uid"].split()


@pytest.mark.parametrize(
    "call",
    [
        "libc.unshare(0x10000000)",
        "libc.mount(b'none', b'/tmp', b'tmpfs', 0, None)",
        "libc.ptrace(0, 0, 0, 0)",
        "libc.syscall(321, 0, 0, 0)",
        "libc.chroot(b'/tmp')",
        "libc.personality(0x0040000)",
        "libc.socket(40, 1, 0)",
        "libc.mknod(b'/tmp/device', 0o020666, 0x103)",
    ],
)
def test_what_no_compiler_needs_is_refused(box: Box, call: str) -> None:
    code = f"import ctypes; libc = ctypes.CDLL(None, use_errno=True); print({call}, ctypes.get_errno() in (1, 97))"
    assert box.python(code) == "-1 True\n"


@pytest.mark.parametrize(
    ("call", "number"),
    [
        ("libc.socket(16, 3, 12)", errno.EPROTONOSUPPORT),  # NETLINK_NETFILTER
        ("libc.socket(16, 3, 9)", errno.EPROTONOSUPPORT),  # NETLINK_AUDIT
        ("libc.shmget(0, ctypes.c_size_t(1 << 20), 0o1600)", errno.EINVAL),
        ("libc.semget(0, 32000, 0o1600)", errno.EINVAL),
        ("libc.msgget(0, 0o1600)", errno.ENOSYS),
        # What has come since the list was made, such as open_tree_attr(2): as on an older kernel.
        ("libc.syscall(467, -100, b'/', 1, None, 0)", errno.ENOSYS),
        ("libc.syscall(463, -100, b'/', 0, None, None, 0)", errno.ENOSYS),
    ],
)
def test_a_call_is_refused_as_a_kernel_without_it_does(box: Box, call: str, number: int) -> None:
    code = f"import ctypes; libc = ctypes.CDLL(None, use_errno=True); print({call}, ctypes.get_errno())"
    assert box.python(code) == f"-1 {number}\n"


def test_programs_of_its_environment_do_not_stand_for_those_that_confine_it(box: Box, tmp_path: Path) -> None:
    programs = tmp_path / "environment" / "bin"
    programs.mkdir(parents=True)
    for name in ("setpriv", "prlimit", "env", "sh", "true"):
        (programs / name).write_text("#!/usr/bin/python3\nprint('taken')\n")
        (programs / name).chmod(0o755)
    box.view = replace(box.view, readable={"/build/environment": tmp_path / "environment"})
    box.search_path = "/build/environment/bin:/usr/bin"
    assert box.python("import os; print(os.getuid() != 0)") == "True\n"


def test_what_an_earlier_run_has_left_too_deep_stops_no_other(box: Box) -> None:
    (box.work / "kept").mkdir()
    box.python("import os\nfor _ in range(1500): os.mkdir('d'); os.chdir('d')")
    assert box.python("open('kept/new', 'w'); print('written')") == "written\n"


def test_a_directory_that_becomes_a_link_meanwhile_gives_nothing_of_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, other = tmp_path / "own", tmp_path / "other"
    for path in (own / "directory", other):
        path.mkdir(parents=True)
        for name in ("first", "second"):
            (path / name).touch()
    given: list[str] = []

    def give(path: str | Path, user: int, group: int, *, dir_fd: int | None = None, **_: bool) -> None:
        base = "" if dir_fd is None else os.readlink(f"/proc/self/fd/{dir_fd}")
        given.append(os.path.realpath(os.path.dirname(os.path.join(base, path))))
        if given[-1].endswith("directory"):
            (own / "directory").rename(own / "moved")
            (own / "directory").symlink_to(other)

    for name in ("chown", "lchown"):
        monkeypatch.setattr(os, name, give)
    bubblewrap._give(own, 1)
    assert given == [str(tmp_path), str(own), str(own / "directory"), str(own / "moved")]


def test_lower_limits_of_its_user_stay(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    hard = {resource.RLIMIT_NPROC: 200, resource.RLIMIT_FSIZE: 1 << 20, resource.RLIMIT_DATA: resource.RLIM_INFINITY}
    monkeypatch.setattr(resource, "getrlimit", lambda which: (0, hard.get(which, resource.RLIM_INFINITY)))
    code = "import resource as r; print(*(r.getrlimit(w)[1] for w in (r.RLIMIT_NPROC, r.RLIMIT_FSIZE, r.RLIMIT_DATA)))"
    assert box.python(code, memory=1 << 30) == f"200 {1 << 20} {1 << 30}\n"


#: Prints which of some files of the system can be read, when two directories of it are somebody's project and home.
_IN_SYSTEM = """
import os
for path in ("/usr/share/perl5", "/usr/share/zoneinfo", "/usr/share/misc"):
    try:
        print(path, len(os.listdir(path)) > 0)
    except PermissionError:
        print(path, False)
"""


def test_a_project_and_a_home_within_the_system_cannot_be_seen(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/usr/share/zoneinfo")
    box.sandbox = replace(box.sandbox, private=(Path("/usr/share/perl5"),))
    assert box.python(_IN_SYSTEM).split() == [
        *("/usr/share/perl5", "False", "/usr/share/zoneinfo", "False", "/usr/share/misc", "True")
    ]


def test_an_interpreter_below_tmp_can_be_seen(box: Box, tmp_path: Path) -> None:
    (tmp_path / "interpreter").write_text("found")
    box.view = replace(box.view, readable={"/tmp/python/interpreter": tmp_path / "interpreter"})
    assert box.python("print(open('/tmp/python/interpreter').read())") == "found\n"


def test_it_has_a_loopback_of_its_own_and_no_network(box: Box, server: socket.socket) -> None:
    code = f"""
import socket
with socket.create_server(("localhost", 0)) as own, socket.create_connection(own.getsockname()):
    print("loopback")
for address in (("127.0.0.1", {server.getsockname()[1]}), ("192.0.2.1", 9)):
    try:
        socket.create_connection(address, 5)
        print(address)
    except OSError:
        pass
"""
    assert box.python(code) == "loopback\n"


def test_the_abstract_sockets_of_this_machine_are_not_there(box: Box) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("\0toolkit-test")
        listening.listen()
        with pytest.raises(CommandError, match="refused"):
            box.python("import socket; socket.socket(socket.AF_UNIX).connect('\\0toolkit-test')")


#: Starts a program in a session of its own that writes to a file, and ends.
_DAEMON = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(600):
            open("alive", "w").write(str(number))
            time.sleep(0.05)
    os._exit(0)
os.wait()
while not os.path.exists("alive"):
    time.sleep(0.01)
"""


def is_alive(box: Box) -> bool:
    """Tell whether the daemon still writes."""
    before = (box.work / "alive").stat().st_mtime_ns
    time.sleep(0.3)
    return (box.work / "alive").stat().st_mtime_ns != before


def test_what_it_leaves_behind_ends_and_is_not_waited_for(box: Box) -> None:
    start = time.monotonic()
    box.python(_DAEMON)
    assert time.monotonic() - start < 15
    assert not is_alive(box)


#: Makes `send`, which fills a file and leaves it on its way to another process.
_SENT = (
    "import os, socket, time\\nends = []\\n"
    "def send(file, count):\\n    for _ in range(count): os.write(file, bytes(1 << 20))\\n"
    "    ends.append(socket.socketpair()); socket.send_fds(ends[0][0], [b'x'], [file]); os.close(file)\\n"
)


@pytest.mark.parametrize(
    ("code", "limits", "setting"),
    [
        ("while True: pass", {"seconds": 1}, "SANDBOX_TIME"),
        (
            "import os, time; os.fork(); data = bytearray(b'x') * (160 << 20); time.sleep(60)",
            {"memory": 256 << 20},
            "MEMORY",
        ),
        (
            (
                "import mmap, time\\nshared = mmap.mmap(-1, 1 << 29)\\n"
                "for _ in range(512): shared.write(bytes(1 << 20))\\ntime.sleep(60)"
            ),
            {"memory": 256 << 20},
            "MEMORY",
        ),
        ("while True: print('x' * 4000)", {"output": 1 << 20}, "SANDBOX_OUTPUT"),
        (
            (
                "import os, time\\ntry:\\n    for _ in range(60): os.fork() or time.sleep(60)\\n"
                "except OSError: pass\\ntime.sleep(60)"
            ),
            {"processes": 20},
            "SANDBOX_PROCESSES",
        ),
        (
            (
                "import os, time\\nfiles = [open(os.open('.', os.O_TMPFILE | os.O_RDWR), 'wb') for _ in range(64)]\\n"
                "for file in files: file.write(bytes(1 << 20)); file.flush()\\ntime.sleep(60)"
            ),
            {"disk": 8 << 20},
            "SANDBOX_DISK",
        ),
        (
            "import os, time\\nfor n in range(64): os.write(os.memfd_create('x'), bytes(4 << 20))\\ntime.sleep(60)",
            {"memory": 128 << 20},
            "SANDBOX_MEMORY",
        ),
        (
            (
                "import mmap, time\\nshared = mmap.mmap(-1, 1 << 28)\\nfor _ in range(16):\\n"
                "    shared.write(bytes(16 << 20)); shared.madvise(mmap.MADV_DONTNEED)\\ntime.sleep(60)"
            ),
            {"memory": 128 << 20},
            "SANDBOX_MEMORY",
        ),
        (
            # Their content is one page of zeros, which is nobody's.
            (
                "import mmap, time\\nread = mmap.mmap(-1, 200 << 30, mmap.MAP_PRIVATE | 0x4000, mmap.PROT_READ)\\n"
                "read.madvise(mmap.MADV_NOHUGEPAGE)\\nfor n in range(100 << 10): read[n << 21]\\ntime.sleep(60)"
            ),
            {"memory": 128 << 20},
            "SANDBOX_MEMORY",
        ),
        (
            (
                "import resource, socket, time\\nends = []\\n"
                "resource.setrlimit(resource.RLIMIT_NOFILE, (3000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))\\n"
                "def fill(end):\\n    end.setblocking(False)\\n    while True: end.send(bytes(1 << 16))\\n"
                "for _ in range(2000):\\n    first, second = socket.socketpair()\\n    ends.append(first)\\n"
                "    try: fill(second)\\n    except BlockingIOError: pass\\n"
                "    if len(ends) > 900: second.close()\\ntime.sleep(60)"
            ),
            {"memory": 128 << 20},
            "SANDBOX_MEMORY",
        ),
        (
            (
                "import os, resource, time\\n"
                "resource.setrlimit(resource.RLIMIT_NOFILE, (5000, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))\\n"
                "ends = [os.pipe() for _ in range(2200)]\\ntime.sleep(60)"
            ),
            {"memory": 128 << 20},
            "SANDBOX_MEMORY",
        ),
        (
            (
                "import mmap, time\\nmapped = mmap.mmap(-1, 30000 << 13, mmap.MAP_PRIVATE, mmap.PROT_READ)\\n"
                "for n in range(30000): mapped.madvise(mmap.MADV_DONTFORK, n << 13, 4096)\\n"
                "time.sleep(60)"
            ),
            {"memory": 12 << 20},
            "SANDBOX_MEMORY",
        ),
        (f"{_SENT}send(os.memfd_create('x'), 256)\\ntime.sleep(60)", {"memory": 128 << 20}, "SANDBOX_MEMORY"),
        (
            # None is larger than the limit (RLIMIT_FSIZE).
            f"{_SENT}for _ in range(2): send(os.open('.', os.O_TMPFILE | os.O_RDWR), 60)\\ntime.sleep(60)",
            {"disk": 64 << 20},
            "SANDBOX_DISK",
        ),
        (
            (
                "import ctypes, os, time\\nfile = os.open('.', os.O_TMPFILE | os.O_RDWR)\\n"
                "os.write(file, bytes(64 << 20))\\nmmap = ctypes.CDLL(None).mmap\\nmmap.restype = ctypes.c_void_p\\n"
                "mmap(None, ctypes.c_size_t(64 << 20), 1, 1, file, ctypes.c_long(0))\\nos.close(file)\\ntime.sleep(60)"
            ),
            {"disk": 8 << 20},
            "SANDBOX_DISK",
        ),
        (
            (
                "import os, time\\nfor _ in range(100): os.mkdir('d' * 50); os.chdir('d' * 50)\\n"
                "for n in range(16): open(str(n), 'wb').write(bytes(16 << 20))\\ntime.sleep(60)"
            ),
            {"disk": 64 << 20},
            "SANDBOX_DISK",
        ),
        (
            (
                "import os, time\\nos.mkdir('shut', 0o300)\\n"
                "for n in range(16): open(f'shut/{n}', 'wb').write(bytes(16 << 20))\\ntime.sleep(60)"
            ),
            {"disk": 64 << 20},
            "SANDBOX_DISK",
        ),
        (
            "import time\\nfor n in range(64): open(str(n), 'wb').write(bytes(1 << 20))\\ntime.sleep(60)",
            {"disk": 8 << 20},
            "SANDBOX_DISK",
        ),
    ],
)
def test_a_limit_ends_it_and_is_named(box: Box, code: str, limits: dict[str, int], setting: str) -> None:
    with pytest.raises(LimitError) as caught:
        box.python(code.replace("\\n", "\n"), **limits)
    assert setting in caught.value.hint


@pytest.mark.parametrize(
    ("code", "limits", "setting"),
    [
        ("data = bytearray(400 << 20)", {"memory": 256 << 20}, "SANDBOX_MEMORY=256M"),
        ("open('large', 'wb').write(bytes(64 << 20))", {"disk": 1 << 20}, "SANDBOX_DISK=1M"),
    ],
)
def test_a_limit_that_the_kernel_keeps_it_to_is_suggested_by_its_words(
    box: Box, code: str, limits: dict[str, int], setting: str
) -> None:
    with pytest.raises(CommandError) as caught:
        box.python(code, **limits)
    kept_to = replace(box.sandbox.limits, **limits)
    assert f"({setting} now)" in kept_to.suggestion(caught.value.output)
    assert kept_to.suggestion("AssertionError\n") == ""


def test_all_that_it_prints_is_in_the_log_as_it_comes_with_control_characters_as_text(box: Box) -> None:
    code = """
import sys, time
print("error: forged \\x1b[2J \\x07", flush=True)
while "go" not in __import__("os").listdir("."):
    time.sleep(0.01)
sys.stdout.buffer.write(b"\\xff\\xfe last")
"""
    sent: list[str] = []

    def watch(line: str) -> None:
        sent.append(line)
        assert "forged" in box.log.read_text()
        (box.work / "go").touch()

    box.sandbox.run(
        [PYTHON, "-I", "-c", code], box.view, directory="/build/work", environment={}, log=box.log, watch=watch
    )
    assert box.log.read_text() == "error: forged \\x1b[2J \\x07\n\ufffd\ufffd last"
    assert sent == ["error: forged \\x1b[2J \\x07", "\ufffd\ufffd last"]


def test_a_log_is_not_written_through_a_link(box: Box, tmp_path: Path) -> None:
    (tmp_path / "other").write_text("kept")
    box.log.symlink_to(tmp_path / "other")
    box.python("print('new')")
    assert (tmp_path / "other").read_text() == "kept"
    assert box.log.read_text() == "new\n"


def test_without_walls_nothing_foreign_runs(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    fault = UserError("this machine allows no sandbox", "SANDBOX=off")
    monkeypatch.setattr(confined, "_find_means", lambda: (Means.NONE, fault))
    for mode in ("on", "required"):
        box.sandbox = replace(box.sandbox, mode=mode)
        with pytest.raises(UserError, match="no sandbox"):
            box.python("open('ran', 'w')")
    assert not (box.work / "ran").exists()
    box.sandbox = replace(box.sandbox, mode="off")
    box.python("open('ran', 'w')")
    assert (box.work / "ran").exists()
    assert "SANDBOX=off" in box.sandbox.require()


def test_a_build_chroot_will_do_where_it_is_not_required(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "_find_means", lambda: (Means.NONE, UserError("no sandbox")))
    monkeypatch.setattr(confined, "has_network", lambda: False)
    monkeypatch.setenv("DEB_BUILD_GNU_TYPE", "x86_64-linux-gnu")
    assert "build chroot" in replace(box.sandbox, mode="on").require()
    with pytest.raises(UserError, match="no sandbox"):
        replace(box.sandbox, mode="required").require()
    monkeypatch.setattr(confined, "has_network", lambda: True)
    with pytest.raises(UserError, match="no sandbox"):
        replace(box.sandbox, mode="on").require()


def test_landlock_leaves_its_own_directories_and_nothing_else(lock: Box, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    others = [str(secret), "/etc/shadow", "/etc/hostname", "/root", "/home", f"/proc/{os.getpid()}/cmdline", "/proc"]
    code = f"""
import os
open("made", "w").write("here")
for path in {[*others, "/tmp"]!r}:
    try:
        os.listdir(path) if os.path.isdir(path) else open(path).read()
        print("read", path)
    except OSError:
        pass
for path in ({str(tmp_path / "new")!r}, {str(secret)!r}, "/usr/new", "/dev/shm/new", "/tmp/new"):
    try:
        open(path, "w")
        print("written", path)
    except OSError:
        pass
"""
    assert lock.python(code) == ""
    assert (lock.work / "made").read_text() == "here"
    assert secret.read_text() == "secret"


def test_landlock_leaves_a_project_and_a_home_within_the_system_out(lock: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    test_a_project_and_a_home_within_the_system_cannot_be_seen(lock, monkeypatch)


def test_landlock_leaves_no_sockets_no_privileges_and_no_signals_to_others(lock: Box) -> None:
    code = f"""
import os, socket, subprocess
for family in (socket.AF_UNIX, socket.AF_INET, socket.AF_INET6, socket.AF_NETLINK, 40):
    try:
        socket.socket(family)
        print(family)
    except PermissionError:
        pass
try:
    os.kill({os.getpid()}, 0)
    print("signal")
except PermissionError:
    pass
print(subprocess.run(["sh", "-c", "true"], start_new_session=True).returncode)
import ctypes
answer = ctypes.create_string_buffer(24)
print(ctypes.CDLL(None).capget(bytes((0x22, 5, 8, 0x20, 0, 0, 0, 0)), answer), any(answer.raw))
"""
    assert lock.python(code) == "0\n0 False\n"


def test_landlock_leaves_modes_owners_times_and_attributes_of_others_files(lock: Box, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text("other")
    other.chmod(0o600)
    before = other.stat()
    code = f"""
import os
other = {str(other)!r}
os.symlink(other, "link")
there, here = os.open({str(tmp_path)!r}, os.O_PATH), os.open(".", os.O_PATH)
for change in (
    lambda: os.chmod(other, 0o777),
    lambda: os.chmod("link", 0o777),
    lambda: os.chmod("other", 0o777, dir_fd=there),
    lambda: os.chmod("../other", 0o777, dir_fd=here),
    lambda: os.chmod(f"/proc/self/fd/{{os.open(other, os.O_PATH)}}", 0o777),
    lambda: os.chmod(os.path.dirname(other), 0o700),
    lambda: os.utime(other, (1, 1)),
    lambda: os.utime("link", (1, 1)),
    lambda: os.utime("other", (1, 1), dir_fd=there),
    lambda: os.chown(other, -1, os.getgid()),
    lambda: os.chown("link", -1, os.getgid()),
    lambda: os.setxattr(other, "user.mark", b"x"),
    lambda: os.fchmod(os.open("/usr/bin/true", os.O_RDONLY), 0o755),
):
    try:
        change()
        print("done", change.__code__.co_firstlineno)
    except PermissionError:
        pass
"""
    assert lock.python(code) == ""
    after = other.stat()
    assert (after.st_mode, after.st_ctime_ns) == (before.st_mode, before.st_ctime_ns)


def test_landlock_leaves_modes_owners_times_and_attributes_of_its_own_files(lock: Box) -> None:
    code = """
import os
open("file", "w").close()
os.mkdir("directory")
os.symlink("file", "link")
here, file = os.open(".", os.O_RDONLY), os.open("file", os.O_RDWR)

def mode():
    return oct(os.stat("file").st_mode & 0o7777)

os.chmod("file", 0o604)
print(mode())
os.chmod(os.path.abspath("link"), 0o605)
print(mode())
os.fchmod(file, 0o606)
print(mode())
os.chmod("file", 0o607, dir_fd=here)
print(mode())
os.chmod("directory", 0o500)
os.utime("file", ns=(1_000_000_001, 2_000_000_002))
print(os.stat("file").st_atime_ns, os.stat("file").st_mtime_ns)
os.utime(file, (3, 4.5))
print(os.stat("file").st_mtime_ns)
os.utime("link", (5, 6), follow_symlinks=False)
print(os.lstat("link").st_mtime, os.stat("file").st_mtime)
os.utime("file")
print(os.stat("file").st_mtime > 1e9)
os.chown("file", -1, os.getgid())
os.lchown("link", os.getuid(), -1)
os.setxattr("file", "user.mark", b"value")
print(os.getxattr("file", "user.mark"))
os.removexattr("file", "user.mark")
print(os.listxattr("file"))
for missing in ("missing", "x" * 5000):
    try:
        os.chmod(missing, 0o600)
    except OSError as error:
        print(error.errno)
"""
    expected = "0o604 0o605 0o606 0o607 1000000001 2000000002 4500000000 6.0 4.5 True b'value' [] 2 36"
    assert lock.python(code).split() == expected.split()


def test_landlock_leaves_what_is_shared_with_all_of_the_machine(lock: Box) -> None:
    code = f"""
import ctypes, os, resource
libc = ctypes.CDLL(None, use_errno=True)
print(libc.shmget(0, 4096, 0o1600), libc.msgget(0, 0o1600), libc.semget(0, 1, 0o1600))
print(ctypes.CDLL("librt.so.1").mq_open(b"/torture", 0o102, 0o600, None))
print(libc.inotify_add_watch(libc.inotify_init(), b"/", 0xFFF))
for change in (
    lambda: resource.prlimit({os.getpid()}, resource.RLIMIT_CORE),
    lambda: os.sched_setaffinity({os.getpid()}, {{0}}),
    lambda: os.setpriority(os.PRIO_PROCESS, {os.getpid()}, 19),
    lambda: os.setpriority(os.PRIO_USER, 0, 19),
    lambda: os.sched_setscheduler({os.getpid()}, os.SCHED_IDLE, os.sched_param(0)),
):
    try:
        change()
        print("done", change.__code__.co_firstlineno)
    except PermissionError:
        pass
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 100))
os.setpriority(os.PRIO_PROCESS, 0, 19)
"""
    assert lock.python(code).split() == ["-1"] * 5


@pytest.mark.parametrize(
    ("code", "limits", "setting"),
    [
        ("time.sleep(60)", {"processes": 20}, "SANDBOX_PROCESSES"),
        ("data = bytearray(os.urandom(1 << 20)) * 8; time.sleep(60)", {"memory": 128 << 20}, "SANDBOX_MEMORY"),
    ],
)
def test_landlock_keeps_orphans_to_the_limits(lock: Box, code: str, limits: dict[str, int], setting: str) -> None:
    orphans = f"""
import os, time
for _ in range(40):
    if os.fork() == 0:
        if os.fork() == 0:
            {code}
        os._exit(0)
    os.wait()
time.sleep(60)
"""
    with pytest.raises(LimitError) as caught:
        lock.python(orphans, **limits)
    assert setting in caught.value.hint


def test_landlock_gives_the_status_of_what_it_runs(lock: Box) -> None:
    for code, status in (("raise SystemExit(7)", 7), ("import os; os.kill(os.getpid(), 15)", 128 + 15)):
        with pytest.raises(CommandError) as caught:
            lock.python(code)
        assert caught.value.status == status


def test_where_there_is_no_network_landlock_leaves_sockets(lock: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confined, "has_network", lambda: False)
    code = (
        "import socket\nwith socket.create_server(('127.0.0.1', 0)) as own: socket.create_connection(own.getsockname())"
    )
    lock.python(code)
    monkeypatch.setattr(confined, "has_network", lambda: True)
    with pytest.raises(CommandError, match="Permission denied"):
        lock.python(code)


def test_what_other_programs_use_up_does_not_say_that_there_can_be_no_walls(
    lock: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    room, lost = limits._Room.of, itertools.count(0, 1 << 33)

    def shrinking(directories: Iterable[Path]) -> limits._Room:
        found, gone = room(directories), next(lost)
        return replace(found, free=found.free - gone, memory=found.memory - gone)

    monkeypatch.setattr(limits._Room, "of", shrinking)
    # As where files are on their way from one process to another, which nobody can look at.
    monkeypatch.setattr(limits._Nameless, "of", lambda _: limits._Nameless(is_more=True))
    assert confined._try(Means.LANDLOCK) == ""


def test_nothing_is_left_in_tmp_by_a_run_that_is_killed(
    lock: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "shared"
    (place / "python-common-sandbox-killed.tmp").mkdir(parents=True)
    monkeypatch.setattr(tempfile, "tempdir", str(place))
    assert confined._try(Means.LANDLOCK) == ""
    seen: list[list[Path]] = []
    sandbox, view = lock.sandbox, lock.view
    sandbox.run(
        [PYTHON, "-c", "print()"],
        view,
        directory=str(lock.work),
        environment={},
        log=lock.log,
        watch=lambda _: seen.append(list(place.iterdir())),
    )
    assert seen == [[]]


def test_landlock_ends_what_would_stay(lock: Box) -> None:
    lock.python(_DAEMON)
    assert not is_alive(lock)


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["lo"], False),
        (["lo", "tunl0", "sit0"], False),
        # As of a laptop that is offline: its own services, and sockets of its session, are there.
        (["lo", "wlan0"], True),
        (None, True),
    ],
)
def test_a_device_that_no_namespace_has_by_itself_is_a_network(
    tmp_path: Path, names: list[str] | None, expected: bool
) -> None:
    devices = tmp_path / "dev"
    if names is not None:
        devices.write_text("Inter-|\n face |\n" + "".join(f"{name:>6}: {' 0' * 16}\n" for name in names))
    assert confined.has_network(devices) is expected


def test_a_build_that_missed_the_network_is_told_that_there_is_none() -> None:
    unreachable = "OSError: [Errno 101] Network is unreachable\n"
    assert "no network" in confined.suggestion(unreachable)
    assert "build-settings.toml, `[thing]`" in confined.suggestion(unreachable, "thing")
    assert confined.suggestion("error: expected ';' before '}' token") == ""
