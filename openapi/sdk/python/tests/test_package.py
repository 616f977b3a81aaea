from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import nextscale

ROOT = Path(__file__).parents[1]
PROGRAM = """
import asyncio, importlib.metadata, pathlib, sys
import nextscale
from nextscale import *
assert pathlib.Path(nextscale.__file__).is_relative_to(sys.prefix), nextscale.__file__
assert nextscale.Nextscale("http://127.0.0.1:9").generate
asyncio.run(nextscale.AsyncNextscale().aclose())
print(importlib.metadata.version("nextscale"), nextscale.__version__, "%d.%d" % sys.version_info[:2])
"""


def run(*command: str | Path, cwd: Path) -> str:
    result = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def oldest_python() -> tuple[str, str]:
    """The oldest Python that the package is for, where it is here, and else the one of these tests; and its version."""
    found = re.search(r'requires-python = ">=([\d.]+)"', (ROOT / "pyproject.toml").read_text())
    assert found
    pyenv = sorted(Path.home().glob(f".pyenv/versions/{found[1]}.*/bin/python"))
    for python in (f"python{found[1]}", *map(str, pyenv)):
        if (
            shutil.which(python)
            and subprocess.run([python, "-c", "import venv"], check=False, capture_output=True).returncode == 0
        ):
            return python, found[1]
    return sys.executable, "{}.{}".format(*sys.version_info)


def test_the_wheel_works_in_a_clean_environment(tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path, cwd=ROOT)
    [wheel] = tmp_path.glob("*.whl")
    assert len(list(tmp_path.glob(f"*-{nextscale.__version__}.tar.gz"))) == 1
    names = ZipFile(wheel).namelist()
    assert {"nextscale/py.typed", "nextscale/_generated/models.py"} <= set(names)
    assert all(name.startswith(("nextscale/", "nextscale-")) for name in names)
    oldest, version = oldest_python()
    run(oldest, "-m", "venv", tmp_path / "clean", cwd=tmp_path)
    python = tmp_path / "clean" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "requirements.txt", wheel, cwd=tmp_path)
    assert run(python, "-I", "-c", PROGRAM, cwd=tmp_path).split() == [nextscale.__version__, nextscale.__version__, version]
    assert "No broken requirements" in run(python, "-m", "pip", "check", cwd=tmp_path)
