"""A trained model as a folder that the runner serves: weights and `manifest.json`."""

import hashlib
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from nextscale_train.config import Config
from nextscale_train.errors import CommandError
from nextscale_train.files import hash_file, replacing, write_tensors
from nextscale_train.run_folder import RunFolder
from nextscale_train.sampling import Knobs
from nextscale_train.trained import Trained

MANIFEST = "manifest.json"
REVISION_LENGTH = 12


def export_model(config: Config, trained: Trained, folder: Path, dtype: torch.dtype) -> None:
    """Writes the folder; the manifest comes last, and without it there is no model.

    Raises:
        CommandError: a weight is too large for `dtype`.
    """
    files = {}
    for stage, module in (("tokenizer", trained.tokenizer), ("transformer", trained.transformer)):
        path = folder / f"{stage}.safetensors"
        write_tensors(path, convert(module, dtype))
        files[stage] = {"path": path.name, "sha256": hash_file(path)}
    text = json.dumps(manifest(config, trained, files), indent=2, ensure_ascii=False) + "\n"
    with replacing(folder / MANIFEST) as partial:
        partial.write_text(text, encoding="utf-8")


def convert(module: nn.Module, dtype: torch.dtype) -> dict[str, Tensor]:
    """Parameters under their published names. Buffers are left out: generation uses none.

    Raises:
        CommandError: a weight is too large for `dtype`.
    """
    converted = {name: parameter.detach().to(dtype) for name, parameter in module.named_parameters()}
    for name, tensor in converted.items():
        if not bool(tensor.isfinite().all()):
            raise CommandError(f"{name} has values that {dtype} cannot hold: export with --precision fp32.")
    return converted


def manifest(config: Config, trained: Trained, files: dict[str, dict[str, str]]) -> dict[str, Any]:
    """What the folder says of itself. The revision follows from weights and scales."""
    sizes, model = trained.tokenizer.sizes, config.model
    scales = list(sizes.scales)
    knobs = defaults(config, sizes.vocabulary)
    revision = hashlib.sha256(json.dumps([files, scales], separators=(",", ":")).encode()).hexdigest()
    return {
        "manifest_version": 1,
        "id": model.id,
        "name": model.name,
        **({"description": model.description} if model.description else {}),
        "revision": revision[:REVISION_LENGTH],
        "license": model.license,
        "resolution": sizes.resolution,
        "scales": scales,
        "classes": list(trained.classes),
        "defaults": {"cfg": knobs.cfg, "top_k": knobs.top_k, "top_p": knobs.top_p},
        "files": files,
    }


def defaults(config: Config, vocabulary: int) -> Knobs:
    """The settings that evaluation chose, else the configured ones."""
    path = RunFolder(config.run.folder).sampling
    chosen: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else config.sampling.model_dump()
    return Knobs(cfg=chosen["cfg"], top_k=min(chosen["top_k"], vocabulary), top_p=chosen["top_p"])
