"""What a source tree's settings of cargo turn on."""

import pytest

from toolkit.crates import cargo_options
from toolkit.model import rust_targets

HERE = next(item for item in rust_targets.machines(("linux",)) if item.triple.startswith("x86_64"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", set()),
        ('[build]\nrustflags = ["--cfg", "tokio_unstable", "-Ctarget-cpu=native"]', {"tokio_unstable"}),
        ("[build]\nrustflags = '--cfg=a --cfg b=\"c\"'", {"a", 'b="c"'}),
        ('[build]\nrustflags = "--cfg a"\n[target.x86_64-pc-windows-msvc]\nrustflags = "--cfg c"', {"a"}),
        ('[build]\nrustflags = "--cfg a"\n[target."cfg(unix)"]\nrustflags = "--cfg b"', {"b"}),
        ('[build]\nrustflags = ["--cfg"]', set()),
        ('[build]\nrustflags = ["--cfg", "a -Clinker=/tmp/x"]', set()),
        ("[build]\nrustflags = 5", set()),
        ("[build", set()),
    ],
)
def test_conditions_are_turned_on_and_nothing_else(text: str, expected: set[str]) -> None:
    assert cargo_options.options(text.encode(), HERE) == expected
