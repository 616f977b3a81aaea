"""Commands as processes of their own, which signals can end."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
DEADLINE_S = 120

HOOK = """
import os, signal, sys
from multiprocessing import active_children
from nextscale_train.cli import main
rank = os.environ.get("RANK", "0")
{before}
sys.exit(main(sys.argv[1:]))
"""
AT_STEP = """
from nextscale_train.training.optimise import Average
update, seen = Average.update, []
def counted(self, module, step):
    update(self, module, step)
    seen.append(step)
    if len(seen) == {step}:
        {action}
Average.update = counted
"""


def start(
    arguments: list[str], folder: Path, *, before: str = "", stdout: int | None = None, processes: int = 1
) -> "subprocess.Popen[bytes]":
    """`nextscale-train` in a session of its own, so that a signal to its group ends no one else; `before` is run first. What it
    says goes to the files `out` and `err` of a folder.
    """
    script = folder / "hooked.py"
    script.write_text(HOOK.format(before=before))
    launch = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}"] if processes > 1 else []
    command = [sys.executable, *launch, str(script), *arguments]
    env = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(PACKAGE)}
    with (folder / "out").open("wb") as out, (folder / "err").open("wb") as err:
        return subprocess.Popen(command, env=env, stdout=stdout or out, stderr=err, start_new_session=True)


def read(folder: Path, output: str) -> str:
    return (folder / output).read_text()


def run(arguments: list[str], folder: Path, *, before: str = "", processes: int = 1) -> "subprocess.CompletedProcess[str]":
    """Until its end, which must leave no process behind."""
    process = start(arguments, folder, before=before, processes=processes)
    process.wait(DEADLINE_S)
    wait_until(lambda: not is_group_alive(process.pid), "all processes of the run have ended")
    return subprocess.CompletedProcess(process.args, process.returncode, read(folder, "out"), read(folder, "err"))


def at_step(step: int, action: str) -> str:
    """For `before`: what is done right after the n-th step of this part of a run."""
    return AT_STEP.format(step=step, action=action)


def is_group_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(condition: Callable[[], bool], what: str, seconds: float = DEADLINE_S) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


def children(parent: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]


def is_alive(process: int) -> bool:
    """Whether it runs; one that has ended and that nobody has asked for yet does not."""
    try:
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
