"""The reference has every public name, with a docstring, and is built as the README says."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pdoc
import pytest

PROJECT = Path(__file__).parents[1]
MODULES = ("signalpost", "signalpost.aiortc")


def undocumented(doc: pdoc.doc.Doc[Any]) -> Iterator[str]:
    if not doc.docstring:
        yield doc.fullname
    members = doc.members.values() if isinstance(doc, pdoc.doc.Module) else getattr(doc, "own_members", ())
    for member in members:
        if not member.name.startswith("_"):
            yield from undocumented(member)


@pytest.mark.parametrize("name", MODULES)
def test_every_public_name_has_a_docstring(name: str) -> None:
    module = pdoc.doc.Module.from_name(name)
    assert set(module.members) == set(module.obj.__all__)
    assert list(undocumented(module)) == []


def test_the_reference_is_built_without_a_warning(tmp_path: Path) -> None:
    command = re.search(r"^python -m (pdoc .*)$", (PROJECT / "README.md").read_text("utf-8"), re.MULTILINE)
    assert command
    environment = {**os.environ, "PYTHONPATH": str(PROJECT / "src")}
    build = [sys.executable, "-m", *shlex.split(command[1])]
    said = subprocess.run(build, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (said.returncode, said.stdout + said.stderr) == (0, "")
    [folder] = tmp_path.iterdir()
    for name in MODULES:
        assert (folder / f"{name.replace('.', '/')}.html").is_file()
    assert "hang_up" in (folder / "signalpost/aiortc.html").read_text("utf-8")
