"""What a Python file opens by name, as far as its text says so."""

from __future__ import annotations

import tracemalloc

import pytest

from toolkit.install import opened_names


def opened(text: str) -> list[tuple[str, ...]]:
    return [found.names for found in opened_names.read(text.encode())]


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("ctypes.util.find_library('magic')", ("libmagic.so",)),
        ("def f():\n  class C:\n    def g(self): return find_library('magic')", ("libmagic.so",)),
        ("from ctypes.util import find_library as find\nfind('magic')", ("libmagic.so",)),
        ("find = ctypes.util.find_library\nfind('magic')", ("libmagic.so",)),
        ("CDLL('libusb-1.0.so.0')", ("libusb-1.0.so.0",)),
        ("ctypes.PyDLL(name='libfoo.so.1', mode=2)", ("libfoo.so.1",)),
        ("ctypes.cdll.LoadLibrary('libfoo.so')", ("libfoo.so",)),
        ("ffi.dlopen('libvips.so.42')", ("libvips.so.42",)),
        ("ffi.dlopen('sodium')", ("libsodium.so",)),
        ("NAME = 'libvips.so.42'\ndef f(): return ffi.dlopen(NAME)", ("libvips.so.42",)),
        ("NAME: str = 'libvips.so.42'\nffi.dlopen(NAME)", ("libvips.so.42",)),
        ("async def f(name='libfoo.so.1', *, other=None): CDLL(name)", ("libfoo.so.1",)),
        ("for name in ('cairo', 'cairo-2'):\n  find_library(name)", ("libcairo.so", "libcairo-2.so")),
        ("NAMES = ['a'] + ['b']\nx = [find_library(name) for name in NAMES]", ("liba.so", "libb.so")),
        ("CDLL('lib' + 'foo' + '.so.3')", ("libfoo.so.3",)),
        ("CDLL(os.environ.get('FOO_LIBRARY', 'libfoo.so.3'))", ("libfoo.so.3",)),
        ("CDLL(os.getenv('FOO_LIBRARY', 'libfoo.so.3'))", ("libfoo.so.3",)),
        ("_dlopen(ffi, 'libpango-1.0-0', 'pango-1.0', 'libpango-1.0.so.0')", ("libpango-1.0.so", "libpango-1.0.so.0")),
        ("dlopen(ffi, ('cairo',), ('libcairo.so.2', 'libcairo.2.dylib'))", ("libcairo.so", "libcairo.so.2")),
        ("loader.load_locate_library(('usb-1.0',), 'cygusb-1.0.dll', name)", ("libusb-1.0.so",)),
        ("import gi\ngi.require_version('Gtk', '3.0')", ("Gtk-3.0.typelib",)),
        ("import gi\ngi.require_versions({'Gst': '1.0'})", ("Gst-1.0.typelib",)),
        ("lib = pkcs11.lib('/usr/lib/softhsm/libsofthsm2.so')", ("/usr/lib/softhsm/libsofthsm2.so",)),
        ("from PyKCS11 import *\nPyKCS11Lib().load('opensc-pkcs11.so')", ("opensc-pkcs11.so",)),
        ("if sys.platform == 'linux':\n  find_library('a')\nelse:\n  find_library('b')", ("liba.so",)),
        ("find_library('a' if os.name == 'posix' else 'b')", ("liba.so",)),
        ("system = platform.system().lower()\nif system.startswith('lin'): find_library('a')", ("liba.so",)),
        ("if unknown():\n  NAME = 'a'\nelse:\n  NAME = 'b'\nfind_library(NAME)", ("liba.so", "libb.so")),
    ],
)
def test_what_is_opened_is_found(text: str, names: tuple[str, ...]) -> None:
    assert opened(text) == [names]


@pytest.mark.parametrize(
    "test",
    [
        "sys.platform == 'win32'",
        "'darwin' == sys.platform",
        "sys.platform in ('win32', 'cygwin')",
        "sys.platform.startswith('win')",
        "sys.platform.startswith(('win', 'darwin'))",
        "'win' in sys.platform",
        "os.name == 'nt'",
        "os.name != 'posix'",
        "platform.system() == 'Windows'",
        "platform.system().lower() == 'darwin'",
        "os.uname().sysname == 'Darwin'",
        "not sys.platform.startswith('linux')",
        "sys.platform == 'win32' and frozen",
        "sys.platform == 'win32' or os.name == 'nt'",
        "IS_WINDOWS",
        "compat.is_macos()",
    ],
)
def test_what_is_for_another_platform_is_not(test: str) -> None:
    assert opened(f"if {test}:\n  find_library('foo')") == []
    assert opened(f"if not ({test}):\n  find_library('foo')") == [("libfoo.so",)]


@pytest.mark.parametrize(
    "text",
    [
        "CDLL('kernel32')",
        "CDLL('foo.dll')",
        "CDLL('libfoo.dylib')",
        "CDLL('./libfoo.so')",
        "CDLL(os.path.join(here, 'libfoo.so'))",
        "CDLL('/opt/vendor/lib/libfoo.so')",
        "CDLL(f'lib{name}.so')",
        "CDLL('lib%s.so' % name)",
        "CDLL(None)",
        "ffi.dlopen(None)",
        "def f(name): find_library(name)",
        "NAME = 'foo'\ndef f(NAME): find_library(NAME)",
        "def find_library(name='foo'): pass",
        "'''find_library('foo')'''",
        "# find_library('foo')\npass",
        "windll.LoadLibrary('user32.dll')",
        "require_version('Gtk', '3.0')",
        "json.load('x.so'), CDLL",
        "find_library('two words')",
        "find_library('\\x1b[2Ja')",
        "find_library(",
        "find_library('foo')\0",
        "find_library" + "(" * 10_000,
        "find_library(" + "-" * 200_000 + "1)",
        "find_library(" + "a." * 100_000 + "a)",
        "x = 'a'\n" + "x = x + x\n" * 200 + "find_library(x + '/')",
    ],
)
def test_what_is_not_known_or_no_library_of_the_system_is_not(text: str) -> None:
    assert opened(text) == []


def test_the_line_is_told() -> None:
    [found] = opened_names.read(b"\xef\xbb\xbfimport ctypes\n\n\nlibrary = ctypes.CDLL(\n    'libfoo.so.1')\n")
    assert found.line == 4


def test_nothing_of_it_is_said_by_the_parser(recwarn: pytest.WarningsRecorder) -> None:
    assert opened("find_library('a\\d') is 'x'") == []
    assert not recwarn


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"x{n} = 'a'\n" for n in range(2000)) + "def f(): pass\n" * 2000,
        "".join(f"x{n} = 'a'\n" for n in range(2000)) + "lambda: 1\n" * 2000,
        f"a = {tuple('x' * 95 + str(n) for n in range(64))}\n" + "".join(f"x{n} = a + a\n" for n in range(5_000)),
    ],
)
def test_memory_does_not_grow_with_the_square_of_a_file(text: str) -> None:
    tracemalloc.start()
    try:
        assert opened(f"{text}find_library('a')") == [("liba.so",)]
        assert tracemalloc.get_traced_memory()[1] < 48e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(
    "text", ["if " + "_" * 1_000_000 + ": pass\n", "dlopen" * 100_000 + "\u20d0()\n", "load_" * 100_000 + "()\n"]
)
def test_a_file_that_is_made_to_take_long_does_not(text: str) -> None:
    """With work that grows with the square of the length each takes minutes."""
    assert opened(f"{text}find_library('a')") == [("liba.so",)]
