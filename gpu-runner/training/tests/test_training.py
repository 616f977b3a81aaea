"""Both stages as the command runs them, at tiny size."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image
from torch import Tensor

from nextscale_train import Tokenizer, read_checkpoint
from nextscale_train.cli import main
from nextscale_train.config import read_config
from nextscale_train.trained import read_trained, write_weights
from nextscale_train.training import timetable
from nextscale_train.training.transformer import start_transformer
from tests.running import at_step, run
from tests.training import COLOURS, make_run

PACKAGE = Path(__file__).parents[1]


def weights(run: Path, stage: str) -> dict[str, Tensor]:
    return read_checkpoint(run / f"{stage}.safetensors", "tokenizer")


def is_same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(torch.equal(a[name], b[name]) for name in a)


def test_both_stages_learn_and_keep_what_comes_after_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = make_run(tmp_path, tokenizer_steps=60, transformer_steps=60)
    assert main(["transformer", str(config)]) == 1
    assert "run nextscale-train tokenizer with this configuration first" in capsys.readouterr().err
    assert main(["tokenizer", str(config)]) == 0
    assert main(["transformer", str(config)]) == 0
    told = capsys.readouterr()
    lines = [line for line in told.out.splitlines() if line.startswith("transformer 60:")]
    first = next(line for line in told.out.splitlines() if line.startswith("transformer 5:"))
    assert number(lines[0], "loss") < 0.7 * number(first, "loss")
    psnr = [number(line, "psnr") for line in told.out.splitlines() if line.startswith("tokenizer") and ", psnr" in line]
    assert psnr[-1] > psnr[0] + 3
    trained = read_trained(read_config(config))
    assert trained.classes == tuple(COLOURS)
    assert trained.tokenizer.sizes.scales == trained.transformer.sizes.scales == (1, 2, 3, 4)
    with Image.open(tmp_path / "run" / "samples" / "transformer-000060.png") as grid:
        assert grid.size == (8 * 8 + 7 * 2, 8 * 8 + 7 * 2)
    assert list((tmp_path / "run" / "logs" / "transformer").glob("events.*"))


def number(line: str, name: str) -> float:
    """The number that follows a name in what a run tells."""
    parts = dict(part.rsplit(" ", 1) for part in line.split(": ", 1)[1].split(", "))
    return float(parts[name])


@pytest.mark.parametrize("stage", ["tokenizer", "transformer"])
def test_a_run_in_two_parts_ends_where_one_in_one_part_does(tmp_path: Path, stage: str) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for root in (whole, parts):
        root.mkdir()
        config = str(make_run(root, tokenizer_extra=ADVERSARY, workers=2))
        if stage == "transformer":
            assert main(["tokenizer", config]) == 0
        if root == parts:
            # The rate's course depends on the number of steps: what stops a run early is a signal.
            assert run([stage, config], root, before=at_step(3, "os.killpg(0, signal.SIGTERM)")).returncode == 143
            assert torch.load(root / "run" / f"{stage}.state.pt", weights_only=True)["step"] == 3
            assert not is_same(weights(whole / "run", stage), weights(root / "run", stage))
        assert run([stage, config], root).returncode == 0
    assert is_same(weights(whole / "run", stage), weights(parts / "run", stage))


ADVERSARY = "adversarial = 0.1\nadversarial_start = 2"


def test_a_first_state_is_kept_after_a_minute_and_the_end_is_foretold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    config = str(make_run(tmp_path, tokenizer_steps=5, log_every=2))
    monkeypatch.setattr(timetable, "FIRST_S", 0)
    assert main(["tokenizer", config]) == 0
    told = capsys.readouterr().out
    state = tmp_path / "run" / "tokenizer.state.pt"
    assert f"tokenizer: 0 of 5 steps are done. What is done is kept in {state}: after a minute, every 1,000 steps" in told
    assert [line.split(";")[0] for line in told.splitlines() if "kept in" in line][1:] == [
        f"tokenizer 1: kept in {state}",
        f"tokenizer 5: kept in {state}",
    ]
    assert re.search(r"^tokenizer 2: .*; ends about \d\d:\d\d, in \d+ s$", told, re.MULTILINE)
    monkeypatch.setattr(timetable, "AT_LEAST_EVERY_S", 0)
    state.unlink()
    assert main(["tokenizer", config]) == 0
    assert capsys.readouterr().out.count("kept in") == 6


def run_twofold(stage: str, path: Path) -> None:
    launch = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "nextscale_train"]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run([sys.executable, *launch, stage, str(path)], cwd=PACKAGE, capture_output=True, check=True, env=env)


def test_two_processes_train_what_one_does(tmp_path: Path) -> None:
    alone, together = tmp_path / "alone", tmp_path / "together"
    # Structural similarity over half a batch is not half of that over a whole one.
    extras = {"tokenizer_extra": "init = 'init.safetensors'\nperceptual = 0", "transformer_extra": "label_dropout = 0"}
    for root in (alone, together):
        root.mkdir()
        path = make_run(root, tokenizer_steps=3, transformer_steps=3, **extras)
        write_weights(root / "init.safetensors", Tokenizer(read_config(path).tokenizer.sizes()).state_dict())
        (root / "init.safetensors").write_bytes((alone / "init.safetensors").read_bytes())
        for stage in ("tokenizer", "transformer"):
            if root == together:
                run_twofold(stage, path)
            else:
                assert main([stage, str(path)]) == 0
    start = {
        "tokenizer": read_checkpoint(alone / "init.safetensors", "tokenizer"),
        "transformer": start_transformer(read_config(path), len(COLOURS)).state_dict(),
    }
    for stage, before in start.items():
        one, two = weights(alone / "run", stage), weights(together / "run", stage)
        trained = [name for name, value in before.items() if not torch.equal(value, one[name])]
        assert len(trained) > 10
        apart = sum(float((one[name] - two[name]).pow(2).sum()) for name in trained)
        moved = sum(float((one[name] - before[name]).pow(2).sum()) for name in trained)
        assert apart < 0.02 * moved


def test_what_does_not_belong_together_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def refused(stage: str, **settings: object) -> str:
        assert main([stage, str(make_run(tmp_path, **settings))]) == 1
        return capsys.readouterr().err

    assert main(["tokenizer", str(make_run(tmp_path, tokenizer_steps=2))]) == 0
    assert main(["transformer", str(make_run(tmp_path, transformer_steps=2))]) == 0
    capsys.readouterr()
    assert "was made with data.held_out = 0.2, but the configuration says 0.4" in refused("tokenizer", held_out=0.4)
    own = "init = 'run/transformer.safetensors'"
    (tmp_path / "run" / "tokenizer.state.pt").unlink()
    assert "has no tensor encoder.conv_in.weight" in refused("tokenizer", tokenizer_extra=own)
    (tmp_path / "run" / "transformer.state.pt").write_bytes(b"not a state")
    assert "transformer.state.pt is damaged" in refused("transformer")
    (tmp_path / "run" / "transformer.state.pt").unlink()
    assert main(["transformer", str(make_run(tmp_path, transformer_steps=2))]) == 0
    capsys.readouterr()
    (tmp_path / "pictures" / "yellow").mkdir()
    Image.new("RGB", (12, 12), "yellow").save(tmp_path / "pictures" / "yellow" / "0.png")
    assert "transformer.state.pt is of other classes or sizes" in refused("transformer")
    missing = "init = 'nowhere.safetensors'"
    assert "transformer_training.init" in refused("transformer", transformer_extra=missing)
    assert "steps must be at least 1" in refused("tokenizer", tokenizer_steps=0)


def test_steps_0_take_weights_as_they_are_and_other_classes_get_embeddings_of_their_own(tmp_path: Path) -> None:
    assert main(["tokenizer", str(make_run(tmp_path, tokenizer_steps=2))]) == 0
    assert main(["transformer", str(make_run(tmp_path, transformer_steps=2))]) == 0
    made = tmp_path / "run"
    other = tmp_path / "other"
    other.mkdir()
    taken = {f"{stage}_extra": f"init = '{made / f'{stage}.safetensors'}'" for stage in ("tokenizer", "transformer")}
    path = make_run(other, tokenizer_steps=0, transformer_steps=0, **taken)
    Image.new("RGB", (12, 12), "black").save(other / "pictures" / "red" / "more.png")
    (other / "pictures" / "black").mkdir()
    Image.new("RGB", (12, 12), "black").save(other / "pictures" / "black" / "0.png")
    assert main(["tokenizer", str(path)]) == 0
    assert main(["transformer", str(path)]) == 0
    assert is_same(weights(made, "tokenizer"), weights(other / "run", "tokenizer"))
    before, after = weights(made, "transformer"), weights(other / "run", "transformer")
    embedding = "class_emb.weight"
    assert (before[embedding].shape[0], after[embedding].shape[0]) == (4, 5)
    assert torch.equal(before[embedding][-1], after[embedding][-1])
    assert is_same({**before, embedding: after[embedding]}, after)
    assert read_trained(read_config(path)).classes == ("black", *COLOURS)
