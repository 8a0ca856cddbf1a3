"""The recipes in docs/ci/ are what each system takes; that their targets exist, test_documents tells."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import tree_sitter_groovy
import yaml
from tree_sitter import Language, Node, Parser

RECIPES = Path(__file__).resolve().parents[3] / "docs" / "ci"
#: Pipeline syntax of Jenkins: the blocks of a declarative pipeline that we use, each with those it may stand in.
BLOCKS = {
    "agent": {"pipeline", "stage", "matrix"},
    "options": {"pipeline", "stage"},
    "stages": {"pipeline", "matrix", "stage"},
    "stage": {"stages"},
    "matrix": {"stage"},
    "axes": {"matrix"},
    "axis": {"axes"},
    "when": {"stage"},
    "environment": {"pipeline", "stage"},
    "steps": {"stage"},
    "script": {"steps"},
    "post": {"pipeline", "stage"},
    "always": {"post"},
}


#: What `${name}` in a string is not.
BLOCK = re.compile(rb"(?<!\$)\{")


def lint(schema: str, path: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", f"vendor.{schema}", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


SCHEMAS = [("gitlab-ci", "gitlab-ci.yml"), ("github-workflows", "github-actions.yml")]


@pytest.mark.slow
@pytest.mark.parametrize(("schema", "name"), SCHEMAS)
def test_a_recipe_fits_the_schema_of_its_system(schema: str, name: str, tmp_path: Path) -> None:
    done = lint(schema, RECIPES / name)
    assert done.returncode == 0, done.stdout
    broken = tmp_path / name
    broken.write_text((RECIPES / name).read_text().replace("matrix:", "matrices:"))
    assert lint(schema, broken).returncode == 1


def audit(workflow: Path) -> subprocess.CompletedProcess[str]:
    """Run zizmor, which finds what in a workflow others can use: https://docs.zizmor.sh/audits/."""
    program = str(Path(sys.executable).with_name("zizmor"))
    config = workflow.with_name("zizmor.yml")
    # Images have names only: `new-project` puts the release of its machine there, whose digest it does not know.
    config.write_text("rules:\n  unpinned-images:\n    disable: true\n")
    command = [program, "--offline", "--no-progress", "--persona=pedantic", "--config", str(config), str(workflow)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("safe", "unsafe", "found"),
    [
        ("@3d3c42e5aac5ba805825da76410c181273ba90b1 #", "@v7 #", "unpinned-uses"),
        ("          persist-credentials: false\n", "", "artipacked"),
        ("permissions:\n      contents: read", "permissions: write-all", "excessive-permissions"),
        ("make setup", "make setup NAME=${{ github.head_ref }}", "template-injection"),
    ],
)
def test_the_workflow_gives_nothing_away(tmp_path: Path, safe: str, unsafe: str, found: str) -> None:
    text = (RECIPES / "github-actions.yml").read_text()
    workflow = tmp_path / "packages.yml"
    workflow.write_text(text)
    done = audit(workflow)
    assert done.returncode == 0, done.stdout
    workflow.write_text(text.replace(safe, unsafe, 1))
    done = audit(workflow)
    assert done.returncode > 1
    assert f"[{found}]" in done.stdout


@pytest.mark.parametrize(
    ("name", "job"),
    [("gitlab-ci.yml", r"^\w+:$"), ("github-actions.yml", r"^  \w+:$"), ("Jenkinsfile", r"^        stage\(")],
)
def test_what_is_published_is_what_was_built_twice(name: str, job: str) -> None:
    """`make reproducible` takes the files of `make sbuild` where it comes after it, in a job that has SUITES."""
    jobs = re.split(job, (RECIPES / name).read_text(), flags=re.MULTILINE)
    [found] = (text for text in jobs if "make reproducible" in text)
    words = re.findall(r"\b(?:PYTHON_COMMON_)?SUITES\b|make sbuild|make reproducible", found)
    assert list(dict.fromkeys(words)) == ["PYTHON_COMMON_SUITES", "make sbuild", "make reproducible"]


@pytest.mark.parametrize("stamps", [0, 2])
def test_a_run_that_made_no_chroot_saves_none(tmp_path: Path, stamps: int) -> None:
    steps = yaml.safe_load((RECIPES / "github-actions.yml").read_text())["jobs"]["packages"]["steps"]
    [script] = (step["run"] for step in steps if step.get("id") == "chroots")
    [condition] = (step["if"] for step in steps if "cache/save" in step.get("uses", ""))
    assert "steps.chroots.outputs.hash" in condition
    chroots = tmp_path / ".cache/python-common/chroots"
    for number in range(stamps):
        chroots.mkdir(parents=True, exist_ok=True)
        (chroots / f"{number}.tar.zst.json").write_text("{}")
    output = tmp_path / "output"
    output.touch()
    environment = {"HOME": str(tmp_path), "GITHUB_OUTPUT": str(output), "PATH": os.environ["PATH"]}
    subprocess.run(["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script], env=environment, check=True)
    assert bool(re.fullmatch("hash=[0-9a-f]{16}\n", output.read_text())) is (stamps > 0)


def parse(text: str) -> Node:
    return Parser(Language(tree_sitter_groovy.language())).parse(text.encode()).root_node


def blocks(node: Node, outer: str = "") -> list[tuple[str, str]]:
    """Return each block with the one it stands in."""
    found = []
    for child in node.children:
        name = outer
        if child.type in {"method_invocation", "function_call", "juxt_function_call"} and BLOCK.search(
            child.text or b""
        ):
            name = (child.text or b"").decode().split("(")[0].split("{")[0].split()[0]
            found.append((name, outer))
        found += blocks(child, name)
    return found


def test_the_jenkinsfile_is_groovy() -> None:
    text = (RECIPES / "Jenkinsfile").read_text()
    assert not parse(text).has_error
    assert parse(text.replace("steps {", "steps ", 1)).has_error


def test_the_jenkinsfile_is_a_declarative_pipeline() -> None:
    found = blocks(parse((RECIPES / "Jenkinsfile").read_text()))
    assert found[0] == ("pipeline", "")
    assert {name for name, _ in found} >= {"stages", "matrix", "steps", "when"}
    assert [(name, outer) for name, outer in found[1:] if outer not in BLOCKS.get(name, set())] == []
