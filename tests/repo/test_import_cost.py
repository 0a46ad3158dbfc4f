"""`pagemill --help` answers at once: heavy packages wait until a command needs them.

How long it takes depends on the machine; what is imported does not, so that is what is held here:
nothing but the standard library and a few small files of ours.
"""

from __future__ import annotations

import subprocess
import sys

import pytest
from pagemill.command.main import COMMANDS

HELP = """
import sys
before = set(sys.modules)
from pagemill.command.main import main
try:
    main(sys.argv[1:])
except SystemExit as end:
    assert end.code == 0
print("LOADED", *sorted(set(sys.modules) - before))
"""
OURS = (
    "pagemill.command",
    "pagemill.engine.errors",
    "pagemill.engine.text",
    "pagemill.train.arguments",
)
"""What `--help` may import of ours, beside the packages that these lie in."""


NAMES = [add.__name__.removeprefix("add_").removesuffix("_command") for add in COMMANDS]


def loaded_by(*words: str) -> tuple[str, set[str]]:
    """What the command prints, and the modules that it imports."""
    done = subprocess.run(
        [sys.executable, "-c", HELP, *words], capture_output=True, text=True, check=True, timeout=60
    )
    text, _, modules = done.stdout.rpartition("LOADED")
    return text, set(modules.split())


def stray(modules: set[str]) -> list[str]:
    """Modules that are neither of the standard library nor few and small."""
    parents = {".".join(name.split(".")[:n]) for name in OURS for n in range(1, 3)}
    return [
        name
        for name in sorted(modules)
        if name.startswith("asyncio")
        or not (
            name.split(".")[0] in sys.stdlib_module_names
            or name in parents
            or name.startswith(OURS)
        )
    ]


def test_help_imports_the_standard_library_and_the_commands_alone():
    text, modules = loaded_by("--help")
    assert "build" in text
    assert "pagemill.command.main" in modules
    assert stray(modules) == []


@pytest.mark.parametrize("command", NAMES)
def test_the_help_of_every_command_does_without_heavy_packages(command):
    text, modules = loaded_by(command, "--help")
    assert f"pagemill {command}" in text
    assert stray(modules) == []


def test_a_heavy_import_is_found():
    assert stray({"pagemill", "pagemill.engine", "json", "numpy.linalg"}) == ["numpy.linalg"]
    assert stray({"pagemill.engine.page"}) == ["pagemill.engine.page"]
