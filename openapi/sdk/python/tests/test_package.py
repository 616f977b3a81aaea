from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

ROOT = Path(__file__).parents[1]
PROGRAM = """
import asyncio, importlib.metadata, pathlib, sys
import nextscale
assert pathlib.Path(nextscale.__file__).is_relative_to(sys.prefix), nextscale.__file__
assert nextscale.Nextscale("http://127.0.0.1:9").generate
asyncio.run(nextscale.AsyncNextscale().aclose())
print(importlib.metadata.version("nextscale"))
"""


def run(*command: str | Path, cwd: Path) -> str:
    result = subprocess.run(command, cwd=cwd, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_the_wheel_works_in_a_clean_environment(tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", tmp_path, cwd=ROOT)
    [wheel] = tmp_path.glob("*.whl")
    assert len(list(tmp_path.glob("*.tar.gz"))) == 1
    names = ZipFile(wheel).namelist()
    assert {"nextscale/py.typed", "nextscale/_generated/models.py"} <= set(names)
    assert all(name.startswith(("nextscale/", "nextscale-")) for name in names)
    run(sys.executable, "-m", "venv", tmp_path / "clean", cwd=tmp_path)
    python = tmp_path / "clean" / "bin" / "python"
    run(python, "-m", "pip", "install", "--quiet", "--constraint", ROOT / "requirements.txt", wheel, cwd=tmp_path)
    assert run(python, "-I", "-c", PROGRAM, cwd=tmp_path).strip() == "0.1.0"
    assert "No broken requirements" in run(python, "-m", "pip", "check", cwd=tmp_path)
