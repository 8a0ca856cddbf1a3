"""Files of /proc and /sys, as they are on the other machine."""

from __future__ import annotations

import pytest

from toolkit.debian.proof import machine_files

X86 = """\
processor\t: 0
model name\t: Some Processor
flags\t\t: fpu sse2 avx avx512f
bogomips\t: 10

processor\t: 1
model name\t: Some Processor
flags\t\t: fpu sse2 avx avx512f
bogomips\t: 10

"""
ARM = """\
processor\t: 0
BogoMIPS\t: 50.00
Features\t: fp asimd sve sve2
CPU part\t: 0xd40

"""


def test_processors_are_one_more_with_the_older_half_of_their_features() -> None:
    assert machine_files.cpuinfo(X86).split("\n\n") == [
        *(
            f"processor\t: {number}\nmodel name\t: Another Processor\nflags\t\t: fpu sse2\nbogomips\t: 10"
            for number in range(3)
        ),
        "",
    ]
    assert machine_files.cpuinfo(ARM).count("Features\t: fp asimd\n") == 2
    assert machine_files.cpuinfo("vendor_id : IBM/S390\n") == "vendor_id : IBM/S390\n"


@pytest.mark.parametrize(("here", "there"), [("0\n", "0-1\n"), ("0-3\n", "0-4\n"), ("0,2-3\n", "0-4\n"), ("\n", "\n")])
def test_a_list_of_processors_is_one_longer(here: str, there: str) -> None:
    assert machine_files.processors(here) == there


def test_statistics_count_one_more_and_keep_the_rest() -> None:
    assert machine_files.stat("cpu  9 8\ncpu0 1 2\ncpu1 3 4\nintr 5 cpu\n") == (
        "cpu  9 8\ncpu0 1 2\ncpu1 3 4\ncpu2 3 4\nintr 5 cpu\n"
    )
    assert machine_files.stat("cpu  9 8\nintr 5 cpu\n") == "cpu  9 8\nintr 5 cpu\n"
