"""Virtual environments of exactly the wheels that are given, without pip."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from toolkit.model.interpreter import Interpreter
from toolkit.wheel import unpacking


def create(prefix: Path, interpreter: Interpreter, wheels: Sequence[Path] = (), final: Path | None = None) -> Path:
    """Make a virtual environment without pip at `prefix`, install `wheels` there, and return its interpreter's path.

    Scripts find their interpreter by `final`, the path that the environment has for who uses it. Raises `UserError` for
    what is no wheel.
    """
    (prefix / "bin").mkdir(parents=True)
    (prefix / interpreter.site_packages).mkdir(parents=True)
    for name in ("python", "python3", f"python{interpreter.version}"):
        (prefix / "bin" / name).symlink_to(interpreter.path)
    configuration = (
        f"home = {interpreter.path.parent}\ninclude-system-site-packages = false\nversion = {interpreter.version}\n"
    )
    (prefix / "pyvenv.cfg").write_text(configuration, encoding="utf-8")
    for wheel in wheels:
        unpacking.unpack(wheel, prefix, interpreter, (final or prefix) / "bin" / "python")
    return prefix / "bin" / "python"
