import hashlib
import json
from pathlib import Path

import pytest
import torch

from nextscale_train import Tokenizer, Transformer, read_checkpoint
from nextscale_train.cli import main
from nextscale_train.config import read_config
from nextscale_train.export import convert
from nextscale_train.trained import write_weights
from tests.training import make_run

PACKAGE = Path(__file__).parents[1]


def make_trained(root: Path) -> Path:
    """A run whose weights are random."""
    path = make_run(root)
    config = read_config(path)
    sizes = config.tokenizer.sizes()
    write_weights(root / "run" / "tokenizer.safetensors", Tokenizer(sizes).state_dict())
    transformer = Transformer(config.transformer.sizes(sizes, 3))
    transformer.initialize(torch.Generator().manual_seed(0))
    write_weights(root / "run" / "transformer.safetensors", transformer.state_dict(), ("blue", "green", "red"))
    return path


def test_a_folder_holds_weights_and_says_what_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, out = str(make_trained(tmp_path)), tmp_path / "out"
    assert main(["export", config, "--out", str(out)]) == 0
    assert f"nextscale models check {out}" in capsys.readouterr().out
    manifest = json.loads((out / "manifest.json").read_text())
    for stage, file in manifest["files"].items():
        data = (out / file["path"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == file["sha256"]
        kept, stored = (read_checkpoint(folder / f"{stage}.safetensors", stage) for folder in (tmp_path / "run", out))
        assert all(torch.equal(tensor, kept[name].half()) for name, tensor in stored.items())
    assert (manifest["id"], manifest["resolution"], manifest["scales"]) == ("toy", 8, [1, 2, 3, 4])
    assert manifest["classes"] == ["blue", "green", "red"]
    assert manifest["defaults"] == {"cfg": 1.5, "top_k": 0, "top_p": 1.0}
    assert len(manifest["revision"]) == 12

    assert main(["export", config, "--out", str(out)]) == 1
    assert "add --replace" in capsys.readouterr().err
    (tmp_path / "run" / "sampling.json").write_text('{"cfg": 3, "top_k": 200, "top_p": 0.9}')
    assert main(["export", config, "--out", str(out), "--replace", "--precision", "fp32"]) == 0
    again = json.loads((out / "manifest.json").read_text())
    assert again["defaults"] == {"cfg": 3, "top_k": 32, "top_p": 0.9}
    assert again["revision"] != manifest["revision"]


def test_weights_that_fp16_cannot_hold_are_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = str(make_trained(tmp_path))
    path = tmp_path / "run" / "transformer.safetensors"
    write_weights(path, {**read_checkpoint(path, "transformer"), "head.bias": torch.full((32,), 1e6)}, ("a", "b", "c"))
    assert main(["export", config, "--out", str(tmp_path / "out")]) == 1
    assert "head.bias has values that torch.float16 cannot hold: export with --precision fp32." in capsys.readouterr().err
    assert not (tmp_path / "out" / "manifest.json").exists()


def test_generation_needs_nothing_that_is_left_out() -> None:
    shipped = PACKAGE.parent / "models" / "emoji-32"
    tokenizer = Tokenizer.from_state_dict(read_checkpoint(shipped / "tokenizer.safetensors", "tokenizer"), (1, 2, 3, 4, 5, 6, 8))
    assert convert(tokenizer, torch.float16).keys() == read_checkpoint(shipped / "tokenizer.safetensors", "tokenizer").keys()
