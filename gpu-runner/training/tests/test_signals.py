"""What is done is kept, whichever process hears first that it is to end, and when."""

import os
import pty
import select
import signal
import sys
import termios
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from nextscale_train.cli import main
from tests.running import DEADLINE_S, PACKAGE, at_step, children, is_alive, is_group_alive, read, run, start, wait_until
from tests.training import make_run

STAGES = ["tokenizer", "transformer"]
STEPS = 12


def make(root: Path, **settings: object) -> str:
    root.mkdir(exist_ok=True)
    return str(make_run(root, **{"tokenizer_steps": STEPS, "transformer_steps": STEPS, "workers": 2, **settings}))


def make_for(stage: str, root: Path, **settings: object) -> str:
    """A run whose earlier stage is done."""
    if stage == "transformer":
        assert main(["tokenizer", make(root, tokenizer_steps=1, workers=0)]) == 0
    return make(root, **settings)


def kept(root: Path, stage: str) -> int:
    """The step of the state on the disk."""
    step: int = torch.load(root / "run" / f"{stage}.state.pt", weights_only=True)["step"]
    return step


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("stage", STAGES)
def test_a_signal_to_all_processes_of_a_run_keeps_what_is_done(tmp_path: Path, stage: str, number: signal.Signals) -> None:
    done = run([stage, make_for(stage, tmp_path)], tmp_path, before=at_step(3, f"os.killpg(0, {number})"))
    assert (done.returncode, kept(tmp_path, stage)) == (128 + number, 3)
    assert done.stderr == f"{number.name}: what is done is kept, then the run ends.\n"
    assert f"{stage}: 3 of {STEPS} steps are done" in done.stdout
    assert done.stdout.endswith("Run the same command again to go on.\n")


def test_signals_that_were_ignored_at_the_start_stay_so(tmp_path: Path) -> None:
    before = "signal.signal(signal.SIGHUP, signal.SIG_IGN)" + at_step(3, "os.killpg(0, signal.SIGHUP)")
    done = run(["tokenizer", make(tmp_path)], tmp_path, before=before)
    assert (done.returncode, done.stderr, kept(tmp_path, "tokenizer")) == (0, "", STEPS)


WRITING = """
from nextscale_train.training.state import Resumable
write = Resumable.write
def interrupted(self, state):
    {action}
    write(self, state)
Resumable.write = interrupted
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_more_signals_while_the_state_is_written_lose_nothing(tmp_path: Path, name: str) -> None:
    again = WRITING.format(action=f"os.killpg(0, signal.{name})")
    done = run(["tokenizer", make(tmp_path)], tmp_path, before=at_step(3, f"os.killpg(0, signal.{name})") + again)
    assert (done.returncode, kept(tmp_path, "tokenizer")) == (128 + signal.Signals[name], 3)
    assert ("press Ctrl-C once more to lose it" in done.stderr) == (name == "SIGINT")


def test_the_third_ctrl_c_gives_up_and_leaves_the_state_there_was(tmp_path: Path) -> None:
    config = make(tmp_path)
    run(["tokenizer", config], tmp_path, before=at_step(3, "os.killpg(0, signal.SIGTERM)"))
    twice = "os.killpg(0, signal.SIGINT); os.killpg(0, signal.SIGINT)"
    done = run(["tokenizer", config], tmp_path, before=at_step(3, "os.killpg(0, signal.SIGINT)") + WRITING.format(action=twice))
    assert (done.returncode, kept(tmp_path, "tokenizer")) == (130, 3)
    assert "Traceback" not in done.stderr
    assert not list((tmp_path / "run").glob(".*"))


@pytest.mark.parametrize(
    "place",
    [
        "nextscale_train.data.splits.list_classes",
        "nextscale_train.data.splits.split",
        "nextscale_train.training.keeping.Keeper.resume",
        "nextscale_train.training.keeping.Keeper.begin",
    ],
)
def test_a_signal_before_the_first_step_ends_the_command_at_once(tmp_path: Path, place: str) -> None:
    before = f"""
import pkgutil
owner, name = pkgutil.resolve_name("{place.rpartition(".")[0]}"), "{place.rpartition(".")[2]}"
function = getattr(owner, name)
def signalled(*given, **named):
    os.killpg(0, signal.SIGTERM)
    return function(*given, **named)
setattr(owner, name, signalled)
"""
    done = run(["tokenizer", make(tmp_path)], tmp_path, before=before)
    assert done.returncode == 143
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "run" / "tokenizer.state.pt").exists()


SLOW = """
import time
from nextscale_train.data.folder import FolderPictures
view = FolderPictures.view
def slow(self, index, number):
    if number > 0:
        time.sleep(600)
    return view(self, index, number)
FolderPictures.view = slow
"""


def test_a_run_that_waits_for_pictures_is_kept_too(tmp_path: Path) -> None:
    config = make(tmp_path, held_out=0, log_every=1, workers=1)
    process = start(["tokenizer", config], tmp_path, before=SLOW)
    wait_until(lambda: "tokenizer 3:" in read(tmp_path, "out"), "all pictures were seen once")
    os.killpg(process.pid, signal.SIGTERM)
    wait_until((tmp_path / "run" / "tokenizer.state.pt").exists, "it is kept", seconds=5)
    assert process.wait(DEADLINE_S) == 143
    assert kept(tmp_path, "tokenizer") == 3
    assert read(tmp_path, "err") == "SIGTERM: what is done is kept, then the run ends.\n"
    assert not is_group_alive(process.pid)


def test_a_terminal_that_is_closed_keeps_what_is_done(tmp_path: Path) -> None:
    config = make(tmp_path, tokenizer_steps=100_000)
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(PACKAGE)
        os.execv(sys.executable, [sys.executable, "-m", "nextscale_train", "tokenizer", config])
    termios.tcsetwinsize(terminal, (24, 120))
    seen = b""
    while b"tokenizer 5:" not in seen:
        assert select.select([terminal], [], [], DEADLINE_S)[0], "no step was told"
        seen += os.read(terminal, 4096)
    assert b"step/s" in seen
    os.close(terminal)
    wait_until(lambda: not is_alive(pid), "the run has ended")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 129
    assert kept(tmp_path, "tokenizer") >= 5


def test_output_that_is_gone_ends_no_run(tmp_path: Path) -> None:
    reader, writer = os.pipe()
    process = start(["tokenizer", make(tmp_path)], tmp_path, stdout=writer)
    os.close(writer)
    os.close(reader)
    assert (process.wait(DEADLINE_S), read(tmp_path, "err")) == (0, "")
    assert kept(tmp_path, "tokenizer") == STEPS


@pytest.mark.parametrize(("cause", "advice"), [("SIGKILL", "memory runs out"), ("SIGBUS", "shared memory is too small")])
def test_a_reader_that_is_lost_ends_the_run_with_a_sentence_and_its_state(tmp_path: Path, cause: str, advice: str) -> None:
    before = at_step(3, f"os.kill(active_children()[0].pid, signal.{cause})")
    done = run(["tokenizer", make(tmp_path, tokenizer_steps=2_000)], tmp_path, before=before)
    step = kept(tmp_path, "tokenizer")
    assert (done.returncode, 3 <= step < 20) == (1, True)
    assert (f"nextscale-train: A process that reads pictures was ended by {cause}, as happens where {advice}") in done.stderr
    assert done.stderr.endswith(
        f" Step {step} is kept in {tmp_path}/run/tokenizer.state.pt: run the same command again to go on.\n"
    )
    assert "Traceback" not in done.stderr


def test_readers_end_with_a_run_that_is_killed(tmp_path: Path) -> None:
    process = start(["tokenizer", make(tmp_path, held_out=0, log_every=1)], tmp_path, before=SLOW)
    wait_until(lambda: "tokenizer 3:" in read(tmp_path, "out"), "all pictures were seen once")
    readers = children(process.pid)
    assert len(readers) == 2
    process.kill()
    process.wait(DEADLINE_S)
    wait_until(lambda: not any(is_alive(reader) for reader in readers), "the readers have ended", seconds=5)


def test_a_disk_that_is_full_ends_no_run_before_its_last_step(tmp_path: Path) -> None:
    full = "__import__('resource').setrlimit(__import__('resource').RLIMIT_FSIZE, (100_000, 100_000))"
    done = run(["tokenizer", make(tmp_path, workers=0, save_every=2)], tmp_path, before=at_step(3, full))
    assert (done.returncode, kept(tmp_path, "tokenizer")) == (1, 2)
    reason = f"{tmp_path}/run cannot be written to, as where its disk is full."
    tries = [f"{reason} The run goes on and tries again."] * 5
    state = f"{tmp_path}/run/tokenizer.state.pt"
    last = f"nextscale-train: {reason} Step 2 is kept in {state}: run the same command again to go on."
    assert done.stderr.splitlines() == [*tries, last]
    assert f"tokenizer {STEPS}: " in done.stdout
    assert not list((tmp_path / "run").glob(".*"))


COUNTED = """
from nextscale_train.training.tokens import Draft
take, seen = Draft.set, []
def counted(self, *given):
    take(self, *given)
    seen.append(given)
    if len(seen) == 3:
        os.killpg(0, signal.SIGTERM)
Draft.set = counted
"""


def test_tokens_that_are_encoded_are_kept(tmp_path: Path) -> None:
    tokens = []
    for name in ("whole", "parts"):
        config = make_for("transformer", tmp_path / name, views=40)
        file = tmp_path / name / "run" / "tokens-train.safetensors"
        if name == "parts":
            done = run(["transformer", config], tmp_path, before=COUNTED)
            assert done.returncode == 143
            assert "Encoding 760 views of pictures to" in done.stdout
            assert "192 of 760 views are encoded and kept: run the same command again to go on." in done.stdout
            assert int(load_file(file)["done"].sum()) == 192
        assert run(["transformer", config], tmp_path).returncode == 0
        tokens.append(load_file(file))
    assert bool(tokens[1]["done"].all())
    assert all(torch.equal(tokens[0][name], tokens[1][name]) for name in tokens[0])


def test_a_signal_to_one_of_several_processes_ends_all_after_the_same_step(tmp_path: Path) -> None:
    before = at_step(3, "rank == '1' and os.kill(os.getpid(), signal.SIGTERM)")
    done = run(["tokenizer", make(tmp_path)], tmp_path, before=before, processes=2)
    assert kept(tmp_path, "tokenizer") == 3
    assert "SIGTERM: what is done is kept, then the run ends.\n" in done.stderr
    assert done.stdout.count(f"tokenizer: 3 of {STEPS} steps are done") == 1


@pytest.mark.parametrize("stage", STAGES)
def test_a_signal_to_torchrun_keeps_what_is_done(tmp_path: Path, stage: str) -> None:
    # PyTorch sends its own signal to the group of each process, readers and all.
    before = at_step(3, "rank == '0' and os.kill(os.getppid(), signal.SIGINT)")
    done = run([stage, make_for(stage, tmp_path, **{f"{stage}_steps": 100_000})], tmp_path, before=before, processes=2)
    step = kept(tmp_path, stage)
    assert step >= 3
    assert f"{stage}: {step:,} of 100,000 steps are done" in done.stdout


@pytest.mark.parametrize("stage", STAGES)
def test_a_process_that_is_lost_leaves_the_others_to_keep_what_is_done(tmp_path: Path, stage: str) -> None:
    before = at_step(3, "rank == '1' and os.kill(os.getpid(), signal.SIGKILL)")
    done = run([stage, make_for(stage, tmp_path)], tmp_path, before=before, processes=2)
    assert done.returncode == 1
    assert kept(tmp_path, stage) == 3


def test_processes_end_with_a_torchrun_that_is_killed(tmp_path: Path) -> None:
    note = f"Path('{tmp_path}', 'process-' + rank).write_text(str(os.getpid()))"
    before = f"from pathlib import Path\n{note}" + at_step(3, "rank == '0' and os.kill(os.getppid(), signal.SIGKILL)")
    process = start(["tokenizer", make(tmp_path, tokenizer_steps=100_000)], tmp_path, before=before, processes=2)
    process.wait(DEADLINE_S)
    numbers = [int((tmp_path / f"process-{rank}").read_text()) for rank in (0, 1)]
    wait_until(lambda: not any(is_alive(number) for number in numbers), "all processes have ended")
    assert kept(tmp_path, "tokenizer") >= 3


def test_a_reader_that_one_of_several_processes_loses_ends_all(tmp_path: Path) -> None:
    before = at_step(3, "rank == '1' and os.kill(active_children()[0].pid, signal.SIGKILL)")
    done = run(["tokenizer", make(tmp_path, tokenizer_steps=100_000)], tmp_path, before=before, processes=2)
    step = kept(tmp_path, "tokenizer")
    assert f"nextscale-train: Another process of the run cannot go on. Step {step} is kept in" in done.stderr


@pytest.mark.parametrize("workers", [0, 2])
def test_pictures_that_vanish_end_the_run_with_a_sentence_and_its_state(tmp_path: Path, workers: int) -> None:
    before = at_step(3, f"import shutil; shutil.rmtree('{tmp_path}/pictures')")
    done = run(["tokenizer", make(tmp_path, tokenizer_steps=2_000, workers=workers)], tmp_path, before=before)
    step = kept(tmp_path, "tokenizer")
    assert (done.returncode, 3 <= step < 20) == (1, True)
    assert len(done.stderr.splitlines()) == 1
    assert "cannot be read as a picture (no such file or directory)." in done.stderr
    assert done.stderr.endswith(
        f" Step {step} is kept in {tmp_path}/run/tokenizer.state.pt: run the same command again to go on.\n"
    )


def test_a_comparison_of_sizes_goes_on_with_the_one_that_was_stopped(tmp_path: Path) -> None:
    config, out = make_for("transformer", tmp_path, save_every=4), tmp_path / "scaling"
    command = ["scaling", config, "--depths", "1", "2", "--out", str(out)]
    done = run(command, tmp_path, before=at_step(STEPS + 3, "os.killpg(0, signal.SIGTERM)"))
    assert done.returncode == 143
    assert "Run the same command again to go on." in done.stdout
    state = torch.load(out / "depth-2" / "transformer.state.pt", weights_only=True)
    assert state["step"] == 3
    assert run(command, tmp_path).returncode == 0
    assert (out / "scaling.json").exists()


def test_a_signal_ends_a_command_that_keeps_nothing_at_once(tmp_path: Path) -> None:
    config = make_for("transformer", tmp_path)
    assert run(["transformer", config], tmp_path).returncode == 0
    before = """
from torch.optim.lr_scheduler import OneCycleLR
step = OneCycleLR.step
def signalled(self):
    if self.last_epoch == 3:
        os.killpg(0, signal.SIGTERM)
    step(self)
OneCycleLR.step = signalled
"""
    done = run(["evaluate", config], tmp_path, before=before)
    assert (done.returncode, done.stderr) == (143, "")
    assert not list((tmp_path / "run").glob(".*"))


def test_a_signal_that_comes_while_processes_agree_to_go_on_is_not_forgotten(tmp_path: Path) -> None:
    before = """
from nextscale_train.training.processes import Processes
largest, seen = Processes.largest, []
def signalled(self, numbers):
    seen.append(numbers)
    if len(seen) == 4:
        os.killpg(0, signal.SIGTERM)
    return largest(self, numbers)
Processes.largest = signalled
"""
    done = run(["tokenizer", make(tmp_path)], tmp_path, before=before)
    assert (done.returncode, kept(tmp_path, "tokenizer")) == (143, 4)
