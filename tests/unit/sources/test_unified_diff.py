"""Unified diffs: what they say, and how they are applied without fuzz."""

from __future__ import annotations

import difflib
import random

import pytest

from toolkit.sources import unified_diff
from toolkit.sources.unified_diff import PatchError

LINES = b"".join(b"%d\n" % number for number in range(1, 21))
#: As `git format-patch` writes it, with a description that has lines like those of patches.
MAIL = b"""\
From 0123456789012345678901234567890123456789 Mon Sep 17 00:00:00 2001
From: Somebody <somebody@example.com>
Subject: [PATCH] Ten is ten
--- it was not
rename from memory

---
 a.txt | 2 +-

diff --git a/src/a.txt b/src/a.txt
index 0000000..1111111 100644
--- a/src/a.txt
+++ b/src/a.txt
@@ -8,5 +8,5 @@ seven
 8
 9
-10
+ten
 11
 12
--\x20
2.39.5
"""


def patch(*rows: str, header: str = "--- a/a.txt\n+++ b/a.txt\n") -> bytes:
    return (header + "".join(f"{row}\n" for row in rows)).encode()


def applied(content: bytes, text: bytes) -> bytes:
    (change,) = unified_diff.read(text)
    return unified_diff.apply(content, change.hunks)


def test_a_mailed_patch_is_read_and_all_around_it_is_none_of_it() -> None:
    (change,) = unified_diff.read(MAIL)
    assert (str(change.path), change.kind, change.line) == ("src/a.txt", "change", 10)
    assert unified_diff.apply(LINES, change.hunks) == LINES.replace(b"10\n", b"ten\n")


@pytest.mark.parametrize("lines_around", [0, 1, 3])
def test_what_diff_writes_makes_of_the_old_file_the_new_one(lines_around: int) -> None:
    choose = random.Random(lines_around)
    for _ in range(300):
        old = [f"{choose.choice('abc')}\n" for _ in range(choose.randrange(30))]
        new = [line for line in old if choose.random() > 0.1]
        for _ in range(choose.randrange(4)):
            new.insert(choose.randrange(len(new) + 1), f"{choose.choice('xyz')}\n")
        if old == new:
            continue
        text = "".join(difflib.unified_diff(old, new, "a/f", "b/f", n=lines_around)).encode()
        assert applied("".join(old).encode(), text) == "".join(new).encode()


def test_a_hunk_may_stand_on_other_lines_than_it_says_but_all_its_lines_have_to_be_there() -> None:
    text = patch("@@ -3,3 +3,3 @@", " 9", "-10", "+ten", " 11")
    assert applied(LINES, text) == LINES.replace(b"10\n", b"ten\n")
    assert applied(b"new\n" * 7 + LINES, text) == b"new\n" * 7 + LINES.replace(b"10\n", b"ten\n")
    with pytest.raises(PatchError, match=r"^hunk 1 \(line 3\) does not fit$"):
        applied(LINES.replace(b"11\n", b"eleven\n"), text)


def test_of_several_places_the_nearest_is_taken() -> None:
    text = patch("@@ -6,1 +6,1 @@", "-a", "+b")
    assert applied(b"a\nx\nx\nx\na\nx\nx\nx\nx\na\n", text) == b"a\nx\nx\nx\nb\nx\nx\nx\nx\na\n"
    # As patch(1) has it where two are as near.
    assert applied(b"x\nx\nx\nx\na\nx\na\n", text) == b"x\nx\nx\nx\na\nx\nb\n"


def test_what_begins_or_ends_a_file_fits_nowhere_else() -> None:
    first = patch("@@ -1,2 +1,3 @@", "+zero", " 1", " 2")
    last = patch("@@ -19,2 +19,3 @@", " 19", " 20", "+21")
    assert applied(LINES, first) == b"zero\n" + LINES
    assert applied(LINES, last) == LINES + b"21\n"
    for text, other in ((first, b"0\n" + LINES), (last, LINES + b"more\n")):
        with pytest.raises(PatchError, match="does not fit"):
            applied(other, text)


def test_a_line_without_an_end() -> None:
    text = patch("@@ -1 +1 @@", "-a", "\\ No newline at end of file", "+b")
    assert applied(b"a", text) == b"b\n"
    with pytest.raises(PatchError, match="does not fit"):
        applied(b"a\n", text)
    without = patch("@@ -1 +1 @@", "-a", "+b", "\\ No newline at end of file")
    assert applied(b"a\n", without) == b"b"
    with pytest.raises(PatchError, match="does not fit"):
        applied(b"a\nmore\n", without)


LF = b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\n+b\n"


def test_carriage_returns_are_a_part_of_lines() -> None:
    text = b"--- a/f\n+++ b/f\n@@ -1 +1 @@\n-a\r\n+b\r\n"
    assert applied(b"a\r\n", text) == b"b\r\n"
    for source, change, told in ((b"a\n", text, "LF, and the patch CRLF"), (b"a\r\n", LF, "CRLF, and the patch LF")):
        with pytest.raises(PatchError, match=f"does not fit: the source's lines end in {told}$") as caught:
            applied(source, change)
        assert "core.autocrlf=false" in caught.value.hint
    with pytest.raises(PatchError, match=r"^hunk 1 \(line 3\) does not fit$"):
        applied(b"c\n", text)


def test_what_is_applied_already_is_said_to_be() -> None:
    text = patch("@@ -9,3 +9,3 @@", " 9", "-10", "+ten", " 11")
    with pytest.raises(PatchError, match="the source has this already"):
        applied(applied(LINES, text), text)


def test_files_that_come_and_go_and_modes() -> None:
    text = b"""\
diff --git a/new.sh b/new.sh
new file mode 100755
index 0000000..1111111
--- /dev/null
+++ b/new.sh
@@ -0,0 +1 @@
+#!/bin/sh
diff --git a/py.typed b/py.typed
new file mode 100644
index 0000000..e69de29
diff --git a/old.txt b/old.txt
deleted file mode 100644
--- a/old.txt\t2026-01-01 00:00:00
+++ /dev/null
@@ -1 +0,0 @@
-old
diff --git a/tool b/tool
old mode 100755
new mode 100644
"""
    found = [(str(item.path), item.kind, item.executable, len(item.hunks)) for item in unified_diff.read(text)]
    assert found == [
        ("new.sh", "create", True, 1),
        ("py.typed", "create", False, 0),
        ("old.txt", "delete", None, 1),
        ("tool", "change", False, 0),
    ]


@pytest.mark.parametrize("name", ["../f", "a/../../f", "/etc/passwd", "a/../f", "//f"])
def test_a_path_that_leads_out_looks_like_an_attack(name: str) -> None:
    for header in (f"--- {name}\n+++ {name}\n", f"--- /dev/null\n+++ {name}\n"):
        with pytest.raises(PatchError, match=r"line [12]: .* leads out of the source, which looks like an attack"):
            unified_diff.read(patch("@@ -1 +1 @@", "-a", "+b", header=header))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        (b"", "it changes nothing: no unified diff"),
        (b"Only words.\n", "it changes nothing: no unified diff"),
        # An ed script, which patch(1) runs: https://nvd.nist.gov/vuln/detail/CVE-2018-1000156
        (b"--- a/f\n+++ b/f\n1337a\n1,112d\n!touch /tmp/x\n.\n", "it changes nothing: no unified diff"),
        (
            b"*** a/f\n--- b/f\n***************\n*** 1 ****\n! a\n--- 1 ----\n! b\n",
            "line 1: `.*`: not a change of lines",
        ),
        (b"@@ -1 +1 @@\n-a\n+b\n", "line 1: a hunk of no file"),
        (patch("@@ -1 +1 @@", "-a", header="--- f\n+++ f\n"), "line 1: `f` is no name of a file below a first"),
        (patch("@@ -1 +1 @@", "-a", header='--- "a/\\303"\n+++ "b/\\303"\n'), "line 1: .* is no name of a file below"),
        (patch("@@ -1 +1 @@", "-a", "+b", header="--- a/f\n+++ b/g\n"), "line 1: it renames `f` to `g`"),
        (patch("@@ -1 +1 @@", "-a", "+b", header="--- /dev/null\n+++ /dev/null\n"), "line 1: a change of no file"),
        (patch("@@ -1,2 +1 @@", "-a"), "line 5: the hunk of line 3 ends before it should"),
        (patch("@@ -1,1 +1,2 @@", "-a", "-a", "+b", "+b"), "line 3: a hunk of other lines than it says"),
        (patch("@@ -1,2 +1,2 @@", " a", " a"), "line 3: a hunk that changes nothing"),
        (
            b"diff --git a/f b/g\nsimilarity index 100%\nrename from f\nrename to g\n",
            "line 1: .*: not the change of one",
        ),
        (b"diff --git a/f b/f\nnew file mode 120000\n", "line 2: a link, or another thing that is no file"),
        (b"diff --git a/f b/f\nindex 1..2\nGIT binary patch\nliteral 1\n", "line 3: .*: not a change of lines"),
        (b"Binary files a/f and b/f differ\n", "line 1: .*: not a change of lines"),
    ],
)
def test_what_is_no_change_of_lines(text: bytes, what: str) -> None:
    with pytest.raises(PatchError, match=f"^{what}"):
        unified_diff.read(text)


def test_a_hunk_that_says_to_be_far_away_takes_no_time() -> None:
    with pytest.raises(PatchError, match="does not fit"):
        applied(LINES, patch("@@ -999999999 +999999999 @@", "-a", "+b"))
