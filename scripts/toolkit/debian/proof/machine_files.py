"""What /proc and /sys tell of another machine: another kernel, one processor more, and fewer features of each."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

#: Where programs read the number of processors: glibc, getconf(1), nproc(1), Python's os.cpu_count().
_RANGES = tuple(f"/sys/devices/system/cpu/{name}" for name in ("online", "possible", "present"))


def texts(release: str, version: str) -> dict[str, str]:
    """Return the texts of the other machine's files, by path, as far as this machine has the files.

    Its kernel has a release and a version, uname(2).
    """
    changes: dict[str, Callable[[str], str]] = {
        "/proc/cpuinfo": cpuinfo,
        "/proc/stat": stat,
        "/proc/version": lambda _: f"Linux version {release} {version}\n",
        "/proc/sys/kernel/osrelease": lambda _: f"{release}\n",
        "/proc/sys/kernel/version": lambda _: f"{version}\n",
        **dict.fromkeys(_RANGES, processors),
    }
    found = {path: change for path, change in changes.items() if Path(path).is_file()}
    return {path: change(Path(path).read_text(encoding="utf-8")) for path, change in found.items()}


def cpuinfo(text: str) -> str:
    """Return /proc/cpuinfo with a processor more, and the first half of their flags: those are the oldest."""
    text = re.sub(r"^((?:flags|Features)\s*: )(.*)", _older, text, flags=re.MULTILINE)
    text = re.sub(r"^(model name\s*: ).*", r"\1Another Processor", text, flags=re.MULTILINE)
    processors = re.findall(r"^processor\s*: \d+\n(?:.+\n)*", text, re.MULTILINE)
    return text + re.sub(r"\d+", str(len(processors)), processors[-1], count=1) + "\n" if processors else text


def _older(line: re.Match[str]) -> str:
    flags = line[2].split()
    return line[1] + " ".join(flags[: len(flags) // 2])


def stat(text: str) -> str:
    """Return /proc/stat, proc_stat(5), with a line for a processor more; as it is where no processor has one."""
    lines = re.findall(r"^cpu\d+ .*\n", text, re.MULTILINE)
    if not lines:
        return text
    return text.replace(lines[-1], f"{lines[-1]}{re.sub('[0-9]+', str(len(lines)), lines[-1], count=1)}")


def processors(text: str) -> str:
    """Return a list of processors, as `0-3` or `0,2-3`, with one more; an empty one as it is."""
    numbers = re.findall("[0-9]+", text)
    return f"0-{int(numbers[-1]) + 1}\n" if numbers else text
