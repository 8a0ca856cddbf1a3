"""A whole PEP 517 backend in one file of the standard library, put into sdists that tests make.

It reads `tiny.json` beside pyproject.toml: name, version, requires, modules (name -> text), c_source (or ""), dynamic
(build requirements told by the hook alone). With `c_source` it calls the C compiler that sysconfig names.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
import shlex
import subprocess
import sys
import sysconfig
import zipfile
from typing import Any

with open("tiny.json", encoding="utf-8") as _stream:
    SETTINGS = json.load(_stream)
# `$NAME` is what a variable of the build says.
SETTINGS["version"] = os.path.expandvars(SETTINGS["version"])


def get_requires_for_build_wheel(config_settings: Any = None) -> Any:
    return SETTINGS["dynamic"]


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: Any = None) -> str:
    folder = _stem() + ".dist-info"
    os.mkdir(os.path.join(metadata_directory, folder))
    for name, text in _metadata(_tag()).items():
        with open(os.path.join(metadata_directory, folder, name), "w", encoding="utf-8") as stream:
            stream.write(text)
    return folder


def build_wheel(wheel_directory: str, config_settings: Any = None, metadata_directory: str | None = None) -> str:
    for module in SETTINGS["needs_at_build"]:
        __import__(module)
    members = {name + ".py": text.encode() for name, text in SETTINGS["modules"].items()}
    if SETTINGS["c_source"]:
        members[SETTINGS["c_module"] + sysconfig.get_config_var("EXT_SUFFIX")] = _compile()
    folder = _stem() + ".dist-info/"
    members.update((folder + name, text.encode()) for name, text in _metadata(_tag()).items())
    record = [
        f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b'=').decode()},{len(data)}"
        for name, data in members.items()
    ]
    members[folder + "RECORD"] = ("\n".join(record) + f"\n{folder}RECORD,,\n").encode()
    filename = f"{_stem()}-{_tag()}.whl"
    with zipfile.ZipFile(os.path.join(wheel_directory, filename), "w") as wheel:
        for name, data in members.items():
            wheel.writestr(zipfile.ZipInfo(name), data)
    return filename


def build_sdist(sdist_directory: str, config_settings: Any = None) -> str:
    raise NotImplementedError


def _stem() -> str:
    return f"{SETTINGS['name'].replace('-', '_')}-{SETTINGS['version']}"


def _tag() -> str:
    if not SETTINGS["c_source"]:
        return "py3-none-any"
    version = f"cp{sys.version_info[0]}{sys.version_info[1]}"
    platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
    return f"{version}-{version}-{platform}"


def _metadata(tag: str) -> dict[str, str]:
    lines = ["Metadata-Version: 2.1", "Name: " + SETTINGS["name"], "Version: " + SETTINGS["version"]]
    extras = (re.search(r"extra == [\"']([^\"']+)", requirement) for requirement in SETTINGS["requires"])
    lines += ["Provides-Extra: " + extra for extra in {match[1]: None for match in extras if match}]
    lines += ["Requires-Dist: " + requirement for requirement in SETTINGS["requires"]]
    if SETTINGS["requires_python"]:
        lines.append("Requires-Python: " + SETTINGS["requires_python"])
    pure = str(not SETTINGS["c_source"]).lower()
    wheel = ["Wheel-Version: 1.0", "Generator: tiny", f"Root-Is-Purelib: {pure}", f"Tag: {tag}"]
    return {"METADATA": "\n".join(lines) + "\n", "WHEEL": "\n".join(wheel) + "\n"}


def _compile() -> bytes:
    with open("module.c", "w", encoding="utf-8") as stream:
        stream.write(SETTINGS["c_source"])
    flags = shlex.split(os.environ.get("CFLAGS", ""))
    compiler = [*shlex.split(sysconfig.get_config_var("CC")), *flags, "-shared", "-fPIC", "-O1", "-g"]
    include = "-I" + sysconfig.get_path("include")
    subprocess.run([*compiler, include, "module.c", "-o", "module.so"], check=True)
    with open("module.so", "rb") as stream:
        return stream.read()
