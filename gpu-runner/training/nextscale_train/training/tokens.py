"""The pictures of a run as tokens, encoded once by its tokenizer."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from tqdm import tqdm

from nextscale_train.config import Config
from nextscale_train.data import Pictures, Split, open_pictures
from nextscale_train.files import hash_file, write_tensors
from nextscale_train.run_folder import RunFolder
from nextscale_train.tokenizer import Tokenizer
from nextscale_train.training.loading import ignore_interrupts, to_model
from nextscale_train.training.processes import Processes

ENCODING_BATCH = 64
FINGERPRINT = "fingerprint"


@dataclass(frozen=True)
class TokenCache:
    """N pictures as tokens: N L integers, all scales in a row, and their labels, N int64."""

    tokens: Tensor
    labels: Tensor

    def maps(self, rows: Sequence[int] | Tensor, scales: Sequence[int], device: torch.device) -> list[Tensor]:
        """Token maps of some pictures, B n_k^2 int64 each."""
        chosen = self.tokens[torch.as_tensor(rows)].to(device, torch.int64)
        return list(torch.split(chosen, [side * side for side in scales], dim=1))


class Views(Dataset[tuple[Tensor, int]]):
    """Every picture as often as there are views, each time another one."""

    def __init__(self, pictures: Pictures, views: int, rows: range) -> None:
        self._pictures = pictures
        self._views = views
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, place: int) -> tuple[Tensor, int]:
        view, index = divmod(self._rows[place], len(self._pictures))
        return self._pictures.view(index, view)


def read_tokens(config: Config, tokenizer: Tokenizer, split: Split, processes: Processes) -> TokenCache:
    """The pictures of a split as tokens: from the run folder, or encoded and kept there.

    Raises:
        CommandError: the pictures are missing.
    """
    pictures = open_pictures(config, split)
    views = config.transformer_training.views if split == "train" else 1
    folder = RunFolder(config.run.folder)
    path = folder.tokens(split)
    about = [hash_file(folder.weights("tokenizer")), config.data.model_dump(mode="json"), views, len(pictures), pictures.classes]
    fingerprint = hashlib.sha256(json.dumps(about).encode()).hexdigest()
    try:
        with safe_open(path, framework="pt") as file:
            if (file.metadata() or {}).get(FINGERPRINT) == fingerprint:
                return TokenCache(file.get_tensor("tokens"), file.get_tensor("labels"))
    except (FileNotFoundError, SafetensorError):
        pass
    cache = encode(config, tokenizer, pictures, views, processes)
    if processes.is_first:
        write_tensors(path, {"tokens": cache.tokens, "labels": cache.labels}, {FINGERPRINT: fingerprint})
    return cache


@torch.no_grad()
def encode(config: Config, tokenizer: Tokenizer, pictures: Pictures, views: int, processes: Processes) -> TokenCache:
    """Encodes every view of every picture, each process its part."""
    count = len(pictures) * views
    tokenizer = tokenizer.to(processes.device)
    rows = range(processes.rank * count // processes.count, (processes.rank + 1) * count // processes.count)
    loader = DataLoader(
        Views(pictures, views, rows), ENCODING_BATCH, num_workers=config.run.workers, worker_init_fn=ignore_interrupts
    )
    length = sum(side * side for side in config.tokenizer.scales)
    tokens = torch.zeros(count, length, dtype=torch.int32, device=processes.device)
    labels = torch.zeros(count, dtype=torch.int64, device=processes.device)
    place = rows.start
    hidden = None if processes.is_first else True
    for images, classes in tqdm(loader, desc="tokens", unit="batch", disable=hidden, dynamic_ncols=True):
        end = place + len(images)
        maps = tokenizer.encode(to_model(images, processes.device))
        tokens[place:end] = torch.cat(maps, dim=1).to(torch.int32)
        labels[place:end] = classes.to(processes.device)
        place = end
    fits = torch.int16 if config.tokenizer.vocabulary <= torch.iinfo(torch.int16).max else torch.int32
    return TokenCache(processes.sum_(tokens).to("cpu", fits), processes.sum_(labels).cpu())
