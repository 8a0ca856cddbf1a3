"""`patches/<name>/`: sources of vendored distributions, changed before hooks are asked and wheels are built."""

from __future__ import annotations

import zipfile

import pytest

from tests.integration import sdists
from tests.integration.local_index import LocalIndex
from tests.integration.workshop import Workshop
from toolkit.core import files

EXTRA = """\
--- a/notes.txt
+++ b/notes.txt
@@ -1,3 +1,3 @@
 one
-two
+2
 three
"""
BROKEN = """\
--- a/pyproject.toml
+++ b/pyproject.toml
@@ -1,2 +1,2 @@
-[build-system]
+[build-system
 requires = []
"""
NOTES = "one\ntwo\nthree\n"


def patch_of(old: str, new: str, name: str) -> str:
    """Return the patch that makes one line of a file another one."""
    return f"--- a/{name}\n+++ b/{name}\n@@ -1 +1 @@\n-{old}\n+{new}\n"


@pytest.fixture
def patched(shop: Workshop, index: LocalIndex) -> Workshop:
    """Return a project with a service whose one requirement has a backend that tells what is in notes.txt."""
    backend = (
        "from tiny_backend import *\nimport tiny_backend\n"
        "tiny_backend.SETTINGS['modules']['notes'] = 'NOTES = %r' % open('notes.txt').read()\n"
    )
    system = '[build-system]\nrequires = []\nbuild-backend = "noted"\nbackend-path = ["."]\n'
    content = {"noted.py": backend, "pyproject.toml": system, "notes.txt": NOTES}
    for version in ("1.0", "2.0"):
        sdists.publish(index, "thing", version, files=content)
    sdists.publish(index, "helper", "1.0")
    return shop.service("app", "thing==1.0")


def notes(shop: Workshop) -> list[str]:
    """Build, and return what all wheels of `thing` in the store say of their notes."""
    done = shop.build()
    assert done.status == 0, done.err
    found = []
    for path in sorted((files.cache_root() / "store").rglob("thing-*.whl"), key=lambda path: path.stat().st_mtime_ns):
        namespace: dict[str, str] = {}
        with zipfile.ZipFile(path) as archive:
            exec(archive.read("notes.py").decode(), namespace)
        found.append(namespace["NOTES"])
    return found


def test_a_patch_is_built_in_locked_explained_and_a_part_of_the_key(patched: Workshop) -> None:
    assert patched.vendor().status == 0
    assert notes(patched) == [NOTES]
    patched.write({"patches/Thing/notes.patch": EXTRA})
    error, _ = patched.run("check-vendor").error
    assert error == "patches/Thing/notes.patch: changed, added or removed since vendor/pylock.app.toml was made"
    done = patched.vendor()
    assert "* thing 1.0, with other patches" in done.out, done.err
    (locked,) = patched.lock().find("thing==1.0").patches
    assert locked.path == "patches/Thing/notes.patch"
    assert patched.run("check-vendor").status == 0
    assert notes(patched) == [NOTES, NOTES.replace("two", "2")]
    assert "  is patched by patches/Thing/notes.patch\n" in patched.run("why", "thing").out
    # Whoever has the lock has that patch, and no other.
    patched.write({"patches/Thing/notes.patch": EXTRA.replace("+2", "+3")})
    assert patched.run("check-vendor").status == 1
    assert patched.vendor().status == 0
    assert notes(patched)[-1] == NOTES.replace("two", "3")
    (patched.root / "patches/Thing/notes.patch").unlink()
    (patched.root / "patches/Thing").rmdir()
    assert patched.vendor().status == 0
    assert not patched.lock().find("thing==1.0").patches


@pytest.mark.parametrize("dynamic", [False, True])
def test_hooks_and_static_answers_are_those_of_the_patched_source(
    patched: Workshop, index: LocalIndex, *, dynamic: bool
) -> None:
    if dynamic:
        backend = "import tiny_backend\nfrom tiny_backend import *\n"
        hook = "+def get_requires_for_build_wheel(config_settings=None):\n+    return ['helper']\n"
        text = f"--- a/told.py\n+++ b/told.py\n@@ -2 +2,3 @@\n from tiny_backend import *\n{hook}"
    else:
        backend = "from tiny_backend import *\n"
        text = patch_of("requires = []", 'requires = ["helper"]', "pyproject.toml").replace("-1 +1", "-2 +2")
    system = '[build-system]\nrequires = []\nbuild-backend = "told"\nbackend-path = ["."]\n'
    sdists.publish(index, "other", "1.0", files={"told.py": backend, "pyproject.toml": system})
    patched.write({"app/requirements.txt": "other\n", "patches/other/builders.patch": text})
    done = patched.vendor()
    assert done.status == 0, done.err
    assert [item.name for item in patched.lock().find("other==1.0").build_requires] == ["helper"]
    assert patched.build().status == 0


def test_what_a_source_requires_is_what_the_patched_one_says(patched: Workshop, index: LocalIndex) -> None:
    sdists.publish(index, "strict", "1.0", requires=["helper<1"])
    broken = '[build-system]\nbuild-backend = "tiny_backend"\nbackend-path = ["."]\n'
    sdists.publish(index, "broken", "1.0", files={"pyproject.toml": broken})
    patched.write({"app/requirements.txt": "strict\nbroken\n"})
    assert patched.vendor().status == 1
    relaxed = patch_of("Requires-Dist: helper<1", "Requires-Dist: helper", "PKG-INFO")
    number = 1 + sdists.core_metadata("strict", "1.0", ["helper<1"], "").splitlines().index("Requires-Dist: helper<1")
    mended = "--- a/pyproject.toml\n+++ b/pyproject.toml\n@@ -1,2 +1,3 @@\n [build-system]\n+requires = []\n"
    mended += ' build-backend = "tiny_backend"\n'
    patched.write(
        {
            "patches/strict/relaxed.patch": relaxed.replace("-1 +1", f"-{number} +{number}"),
            "patches/broken/mended.patch": mended,
        }
    )
    done = patched.vendor()
    assert done.status == 0, done.err
    assert patched.keys() == ["broken==1.0", "helper==1.0", "strict==1.0"]


def test_a_version_that_is_not_chosen_need_not_fit_the_patches(patched: Workshop, index: LocalIndex) -> None:
    for version, text in (("1.0", "one\n"), ("2.0", "two\n")):
        sdists.publish(index, "kind", version, files={"f": text}, requires=[f"helper<={version}"], metadata=True)
    sdists.publish(index, "wants", "1.0", requires=["kind", "helper==1.5"])
    sdists.publish(index, "helper", "1.5")
    sdists.publish(index, "kind", "3.0", files={"f": "three\n"}, requires=["helper>=2"])
    patched.write({"app/requirements.txt": "wants\n", "patches/kind/f.patch": patch_of("two", "2", "f")})
    done = patched.vendor()
    assert done.status == 0, done.err
    assert patched.keys()[1:] == ["kind==2.0", "wants==1.0"]


def test_a_series_gives_the_order_and_a_version_may_have_its_own(patched: Workshop) -> None:
    second = EXTRA.replace("-two", "-2").replace("+2\n", "+two again\n")
    series = "# In this order.\nz.patch\na.patch -p1\n"
    patched.write({"patches/thing/z.patch": EXTRA, "patches/thing/a.patch": second, "patches/thing/series": series})
    done = patched.vendor()
    assert done.status == 0, done.err
    assert notes(patched) == [NOTES.replace("two", "two again")]
    patched.write({"patches/thing==2.0/only.patch": EXTRA, "app/requirements.txt": "thing==2.0\n"})
    assert patched.vendor().error[0] == "patches/thing/: nothing that is built is called thing"
    files.remove(patched.root / "patches/thing")
    assert patched.vendor().status == 0
    assert [item.path for item in patched.lock().find("thing==2.0").patches] == ["patches/thing==2.0/only.patch"]


def test_what_only_a_hook_of_a_builder_needs_is_patched_too(shop: Workshop, index: LocalIndex) -> None:
    broken = {"setup_of_it.py": "raise SystemExit('broken')\n"}
    maker = sdists.make_backend(
        "maker",
        "1.0",
        files={
            **broken,
            "own.py": "import setup_of_it\nfrom tiny_backend import *\n",
            "pyproject.toml": '[build-system]\nrequires = []\nbuild-backend = "own"\nbackend-path = ["."]\n',
        },
    )
    index.add("maker-1.0.tar.gz", maker)
    index.add("thing-1.0.tar.gz", sdists.make_sdist_with_backend("thing", "1.0", "maker"))
    shop.service("app", "thing")
    assert "broken" in shop.vendor().err
    shop.write({"patches/maker/mend.patch": patch_of("raise SystemExit('broken')", "MENDED = True", "setup_of_it.py")})
    done = shop.vendor()
    assert done.status == 0, done.err
    assert shop.build().status == 0


def test_an_archive_by_url_is_patched(patched: Workshop, index: LocalIndex) -> None:
    content = sdists.make_sdist("archived", "1.0", files={"notes.txt": NOTES})
    url = index.add("archived-1.0.tar.gz", content, name="elsewhere")
    patched.write({"app/requirements.txt": "archived\n", "app/vendor.txt": f"{url}\n"})
    patched.write({"patches/archived/notes.patch": EXTRA})
    done = patched.vendor()
    assert done.status == 0, done.err
    assert len(patched.lock().find("archived==1.0").patches) == 1
    assert patched.run("check-vendor").status == 0


@pytest.mark.parametrize(
    ("contents", "what", "advice"),
    [
        ({"patches/thin/a.patch": EXTRA}, "patches/thin/: nothing that is built is called thin", "correct the name"),
        ({"patches/thing==3/a.patch": EXTRA}, "patches/thing==3/: nothing that is built is called thing==3", "correct"),
        ({"patches/app/a.patch": EXTRA}, "patches/app/: app is a package of this project", "correct the name"),
        ({"patches/thing/series": "# none\n"}, "patches/thing/: there is no patch in it", "remove the directory"),
        ({"patches/thing/a.diff": EXTRA}, "patches/thing/a.diff: no patch", "patches/<name>/<what it does>.patch"),
        (
            {"patches/thing/a.patch": EXTRA, "patches/thing/b.patch": EXTRA, "patches/thing/series": "a.patch\n"},
            "patches/thing/b.patch: series does not name it",
            "add the line b.patch",
        ),
        ({"patches/thing/series": "\ngone.patch\n"}, "patches/thing/gone.patch: no regular file", "remove its name"),
        (
            {"patches/thing/a.patch": EXTRA, "patches/thing/series": "a.patch -p0\n"},
            "patches/thing/series:1: `a.patch -p0`: only the name of a file",
            "quilt refresh -p ab",
        ),
        (
            {"patches/thing/a.patch": EXTRA, "patches/Thing/b.patch": EXTRA},
            "patches/thing/: there is another directory for thing",
            "one of them",
        ),
        ({"patches/thing one/a.patch": EXTRA}, "`patches/thing one`/: not called as a distribution", "<name>"),
        ({"patches/thing/a.patch": "no patch\n"}, "patches/thing/a.patch: it changes nothing: no unified", "git diff"),
        (
            {"patches/thing/a.patch": EXTRA.replace(" three", " four")},
            "patches/thing/a.patch: notes.txt: hunk 1 (line 3) does not fit",
            "make the patch anew",
        ),
        (
            {"patches/thing/a.patch": EXTRA, "patches/thing/b.patch": EXTRA},
            "patches/thing/b.patch: notes.txt: hunk 1 (line 3) does not fit: the source has this already",
            "remove the patch",
        ),
        (
            {"patches/thing/a.patch": EXTRA.replace("notes.txt", "more.txt")},
            "patches/thing/a.patch: more.txt: there is no such file",
            "make the patch anew",
        ),
        ({"patches/thing/a.patch": BROKEN}, "thing-1.0.tar.gz: its pyproject.toml: not a TOML file", "mend the patch"),
        (
            {"patches/thing/a.patch": EXTRA.replace("a/notes", "a/../notes").replace("b/notes", "b/../notes")},
            "patches/thing/a.patch: line 1: `a/../notes.txt` leads out of the source, which looks like an attack",
            "do not apply it",
        ),
    ],
)
def test_patches_that_cannot_be_applied(patched: Workshop, contents: dict[str, str], what: str, advice: str) -> None:
    error, hint = patched.write(contents).vendor().error
    assert error.startswith(what)
    assert advice in hint
    assert not (patched.root / "vendor").exists()
    assert patched.leftovers() == []


def test_a_wheel_is_not_patched(patched: Workshop, index: LocalIndex) -> None:
    sdists.publish_wheel(index, "thing", "1.0")
    patched.write({"app/vendor.txt": "thing\n", "patches/thing/a.patch": EXTRA})
    assert patched.vendor().error[0] == "patches/thing/: thing is taken as a wheel, which nothing patches"


def test_a_patch_is_a_file_of_the_project(patched: Workshop) -> None:
    patched.write({"patches/thing/a.patch": EXTRA})
    assert patched.vendor().status == 0
    target = patched.root / "elsewhere.patch"
    target.write_text(EXTRA)
    (patched.root / "patches/thing/a.patch").unlink()
    (patched.root / "patches/thing/a.patch").symlink_to(target)
    assert patched.vendor().error[0] == "patches/thing/a.patch: no regular file"


def test_a_patch_in_no_directory_is_told(patched: Workshop) -> None:
    done = patched.write({"patches/thing.patch": EXTRA, "patches/of an older tool/README": "why\n"}).vendor()
    assert done.status == 0
    assert "patches/thing.patch: in no directory of a distribution, so it is applied to nothing" in done.err
