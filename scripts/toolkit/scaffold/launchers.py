"""The scripts in bin/ that start an adopted program."""

from __future__ import annotations

from toolkit.scaffold.program import Program
from toolkit.scaffold.templates import python_text


def code(program: Program) -> str:
    """Return the code of a script that starts a program, without its first lines."""
    imports = {"os"} if program.environment or any("$" in word for word in program.words) else set()
    body = [
        f"os.environ.setdefault({python_text(name)}, {python_text(value)})"
        for name, value in sorted(program.environment.items())
    ]
    words = list(map(_word, program.words))
    if program.command:
        imports |= {"os", "sys"}
        name = python_text(program.command)
        body.append(
            f'os.execv(os.path.join(sys.prefix, "bin", {name}), [{", ".join((name, *words, "*sys.argv[1:]"))}])'
        )
        return _script(imports, "", body)
    if words:
        imports.add("sys")
        body.append(f"sys.argv[1:1] = [{', '.join(words)}]")
    if program.module:
        imports.add("runpy")
        body.append(f'runpy.run_module({python_text(program.module)}, run_name="__main__", alter_sys=True)')
        return _script(imports, "", body)
    module, _, name = program.function.partition(":")
    body.append(f"sys.exit({name}())")
    return _script({*imports, "sys"}, f"\nfrom {module} import {name.partition('.')[0]}\n", body)


def _script(imports: set[str], own: str, body: list[str]) -> str:
    first = "".join(f"import {name}\n" for name in sorted(imports))
    return f'{first}{own}\nif __name__ == "__main__":\n' + "\n".join(f"    {line}" for line in body)


def _word(word: str) -> str:
    return f"os.path.expandvars({python_text(word)})" if "$" in word else python_text(word)
