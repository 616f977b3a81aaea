import json
import os
from pathlib import Path

import pytest
import torch

from nextscale_train import CheckpointError, Transformer, read_checkpoint

SHIPPED = Path(__file__).parents[2] / "models" / "emoji-32"
ENTRY = {"dtype": "BF16", "shape": [2, 1], "data_offsets": [0, 4]}


class RunsCode:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.system, ("true",)


def write_safetensors(path: Path, header: object, data: bytes) -> Path:
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def test_a_training_checkpoint_of_the_reference_has_both(tmp_path: Path) -> None:
    path = tmp_path / "ar-ckpt-last.pth"
    trainer = {"vae_local": {"v": torch.ones(1)}, "var_wo_ddp": {"t": torch.zeros(1)}, "var_opt": {"step": 3}}
    torch.save({"epoch": 1, "trainer": trainer}, path)
    assert list(read_checkpoint(path, "tokenizer")) == ["v"]
    assert list(read_checkpoint(path, "transformer")) == ["t"]


def test_safetensors_are_read_in_the_types_they_are_stored_in(tmp_path: Path) -> None:
    path = write_safetensors(tmp_path / "a.safetensors", {"a": ENTRY, "__metadata__": {"by": "a test"}}, b"\x80\x3f\x00\xc0")
    state = read_checkpoint(path, "tokenizer")
    assert list(state) == ["a"]
    assert torch.equal(state["a"], torch.tensor([[1.0], [-2.0]], dtype=torch.bfloat16))


def test_the_shipped_model_is_read() -> None:
    manifest = json.loads((SHIPPED / "manifest.json").read_text())
    state = read_checkpoint(SHIPPED / "transformer.safetensors", "transformer")
    sizes = Transformer.from_state_dict(state, manifest["scales"]).sizes
    assert sizes.classes == len(manifest["classes"])


def test_what_is_no_checkpoint_is_refused_in_a_sentence(tmp_path: Path) -> None:
    for name, content in {"list.pth": [1], "code.pth": {"a": RunsCode()}, "trainer.pth": {"trainer": {}}}.items():
        torch.save(content, tmp_path / name)
        with pytest.raises(CheckpointError, match=name):
            read_checkpoint(tmp_path / name, "transformer")
    (tmp_path / "noise.pth").write_bytes(b"not a checkpoint")
    with pytest.raises(CheckpointError, match=r"noise\.pth"):
        read_checkpoint(tmp_path / "noise.pth", "transformer")


@pytest.mark.parametrize(
    "header",
    [[], {"a": 1}, {"a": {"dtype": "F7", "shape": [], "data_offsets": [0, 4]}}, {"a": {**ENTRY, "shape": [3]}}],
)
def test_damaged_safetensors_are_refused(tmp_path: Path, header: object) -> None:
    path = write_safetensors(tmp_path / "damaged.safetensors", header, bytes(8))
    with pytest.raises(CheckpointError, match=r"damaged\.safetensors"):
        read_checkpoint(path, "transformer")
    path.write_bytes(path.read_bytes()[:9])
    with pytest.raises(CheckpointError, match="invalid header length"):
        read_checkpoint(path, "transformer")
