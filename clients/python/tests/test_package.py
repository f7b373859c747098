"""The package as it would be published: built, installed into an empty folder, and used as its README says."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from reading import following
from server import Server

import signalpost

pytestmark = pytest.mark.anyio
PROJECT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with nothing but the wheel, which was made from the sdist."""
    built, folder = tmp_path_factory.mktemp("dist"), tmp_path_factory.mktemp("installed")
    python = [sys.executable, "-m"]
    subprocess.run([*python, "build", "--no-isolation", "--outdir", str(built), str(PROJECT)], check=True, capture_output=True)
    [sdist], [wheel] = built.glob("*.tar.gz"), built.glob("*.whl")
    names = [name.partition("/")[2] for name in tarfile.open(sdist).getnames()]
    assert {"README.md", "pyproject.toml", "src/signalpost/py.typed", "tests/test_package.py"} <= set(names)
    subprocess.run([*python, "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(folder), str(wheel)], check=True)
    return folder


async def test_the_first_lines_of_the_readme_run(installed: Path, server: Server, tmp_path: Path) -> None:
    block = re.search(r"```python\n(.*?)```", (PROJECT / "README.md").read_text("utf-8"), re.DOTALL)
    assert block
    program = block[1].replace("http://127.0.0.1:8080", server.base)
    assert len(program.strip().splitlines()) <= 12
    environment = {**os.environ, "PYTHONPATH": str(installed), "PYTHONUNBUFFERED": "1"}
    async with signalpost.join(server.base, "tea", name="Test") as room:
        pipe = asyncio.subprocess.PIPE
        child = await asyncio.create_subprocess_exec(sys.executable, "-c", program, cwd=tmp_path, env=environment, stdout=pipe)
        try:
            assert (await following(room, signalpost.Message)).data == "hello"
            await room.send(None, "data", data="hello yourself")
            assert child.stdout is not None
            assert (await child.stdout.readline()).decode() == "Test data hello yourself\n"
        finally:
            child.kill()
            await child.wait()


def test_types_are_found_by_a_program_that_uses_the_package(installed: Path, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "import signalpost\n"
        "from signalpost.aiortc import Call\n"
        "async def main() -> None:\n"
        "    async with signalpost.join('http://127.0.0.1:1', 'tea') as room:\n"
        "        reveal_type(room)\n"
        "        reveal_type(await room.send(None, 'data', data=1))\n"
        "        reveal_type(Call(room).say('hi'))\n"
    )
    checking = [sys.executable, "-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", os.devnull, str(program)]
    said = subprocess.run(checking, cwd=tmp_path, env={**os.environ, "MYPYPATH": str(installed)}, capture_output=True, text=True)
    assert re.findall(r'Revealed type is "(.*)"', said.stdout) == ["signalpost._room.Room", "signalpost._events.Sent", "int"], said.stdout
    assert said.returncode == 0
