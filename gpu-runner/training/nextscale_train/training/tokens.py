"""The pictures of a run as tokens, encoded once by its tokenizer."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import Tensor
from torch.utils.data import Dataset
from tqdm import tqdm

from nextscale_train.config import Config
from nextscale_train.data import Pictures, Split
from nextscale_train.data.readers import reading
from nextscale_train.files import WriteError, hash_file, write_tensors
from nextscale_train.run_folder import RunFolder
from nextscale_train.signals import leave
from nextscale_train.telling import say, tell_count, warn
from nextscale_train.tokenizer import Tokenizer
from nextscale_train.training.loading import to_model
from nextscale_train.training.processes import PeerError, Processes
from nextscale_train.training.stopping import stops
from nextscale_train.training.timetable import Timetable

ENCODING_BATCH = 64
FINGERPRINT = "fingerprint"
NOTHING: tuple[list[int], Any] = ([], None)
"""A batch for a process that has no more."""


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
    """Every picture as often as there are views, each time another one: all pictures once, then all of them again."""

    def __init__(self, pictures: Pictures) -> None:
        self._pictures = pictures

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        view, index = divmod(row, len(self._pictures))
        return self._pictures.view(index, view)


class Draft:
    """Tokens and labels on the CPU, and which of the N rows are done."""

    def __init__(self, path: Path, fingerprint: str, empty: TokenCache) -> None:
        """What is kept at `path`, where that is of the same pictures; else nothing is done yet."""
        self.path = path
        self.cache = empty
        self.done = torch.zeros(len(empty.labels), dtype=torch.bool)
        self._fingerprint = fingerprint
        self._new: list[int] = []
        try:
            with safe_open(path, framework="pt") as file:
                if (file.metadata() or {}).get(FINGERPRINT) == fingerprint:
                    self.cache = TokenCache(file.get_tensor("tokens"), file.get_tensor("labels"))
                    is_whole = "done" not in set(file.keys())
                    self.done = torch.ones_like(self.done) if is_whole else file.get_tensor("done")
        except (FileNotFoundError, SafetensorError):
            pass

    def rows(self) -> list[int]:
        """Those that are not done."""
        left: list[int] = (~self.done).nonzero().flatten().tolist()
        return left

    def set(self, rows: Sequence[int], tokens: Tensor, labels: Tensor) -> None:
        """Takes up what this process has encoded, B L and B."""
        chosen = torch.tensor(rows)
        self.cache.tokens[chosen] = tokens.to("cpu", self.cache.tokens.dtype)
        self.cache.labels[chosen] = labels
        self.done[chosen] = True
        self._new += rows

    def gather(self, processes: Processes) -> None:
        """Brings together what all processes have encoded."""
        own, self._new = torch.tensor(self._new, dtype=torch.int64), []
        for rows, tokens, labels in processes.gather((own, self.cache.tokens[own], self.cache.labels[own])):
            self.set(rows.tolist(), tokens, labels)
        self._new = []

    def write(self, processes: Processes) -> None:
        """Has the first process keep what is done.

        Raises:
            WriteError: it cannot be written.
        """
        if processes.is_first:
            tensors = {"tokens": self.cache.tokens, "labels": self.cache.labels, "done": self.done}
            write_tensors(self.path, tensors, {FINGERPRINT: self._fingerprint})

    def tell_kept(self) -> str:
        return f"{int(self.done.sum()):,} of {len(self.done):,} views are encoded and kept: run the same command again to go on."


def read_tokens(config: Config, tokenizer: Tokenizer, pictures: Pictures, split: Split, processes: Processes) -> TokenCache:
    """The pictures of a split as tokens: from the run folder, or encoded and kept there.

    Raises:
        CommandError: a picture cannot be read, or the tokens cannot be kept.
        SystemExit: a signal asked for the end; what is encoded is kept.
    """
    views = config.transformer_training.views if split == "train" else 1
    folder = RunFolder(config.run.folder)
    about = [hash_file(folder.weights("tokenizer")), config.data.identity, views, pictures.identity, pictures.classes]
    fingerprint = hashlib.sha256(json.dumps(about).encode()).hexdigest()
    draft = Draft(folder.tokens(split), fingerprint, empty_cache(config, len(pictures) * views))
    if not bool(draft.done.all()):
        encode(draft, tokenizer, pictures, config, processes)
    return draft.cache


def empty_cache(config: Config, rows: int) -> TokenCache:
    fits = torch.int16 if config.tokenizer.vocabulary <= torch.iinfo(torch.int16).max else torch.int32
    length = sum(side * side for side in config.tokenizer.scales)
    return TokenCache(torch.zeros(rows, length, dtype=fits), torch.zeros(rows, dtype=torch.int64))


@torch.no_grad()
def encode(draft: Draft, tokenizer: Tokenizer, pictures: Pictures, config: Config, processes: Processes) -> None:
    """Encodes the rows that are not done, each process its part."""
    tokenizer, timetable = tokenizer.to(processes.device), Timetable()
    left = draft.rows()
    if processes.is_first:
        say(f"Encoding {tell_count(len(left), 'view')} of pictures to {draft.path}.")
    own = left[processes.rank :: processes.count]
    places = [own[start : start + ENCODING_BATCH] for start in range(0, len(own), ENCODING_BATCH)]
    rounds = -(-len(left) // (ENCODING_BATCH * processes.count))
    hidden = None if processes.is_first else True
    with (
        tqdm(desc="tokens", total=rounds, unit="batch", disable=hidden, dynamic_ncols=True) as bar,
        stops(processes) as stop,
        reading(Views(pictures), places, config.run.workers) as read,
    ):
        for rows, batch in stop.until(islice(chain(zip(places, read, strict=True), repeat(NOTHING)), rounds)):
            if rows:
                images, labels = batch
                draft.set(rows, torch.cat(tokenizer.encode(to_model(images, processes.device)), dim=1), labels)
            bar.update()
            with stop.troubled_by(PeerError):
                keep_in_time(draft, timetable, processes)
        with stop.troubled_by(PeerError):
            draft.gather(processes)
        draft.write(processes)
    stop.conclude(draft.tell_kept())
    if stop.signal:
        if processes.is_first:
            say(draft.tell_kept())
        leave(stop.signal, None)


def keep_in_time(draft: Draft, timetable: Timetable, processes: Processes) -> None:
    """Keeps what is done where it is time to."""
    if not processes.first_says(timetable.is_due()):
        return
    draft.gather(processes)
    try:
        draft.write(processes)
        timetable.note_kept()
    except WriteError as error:
        timetable.note_failed()
        warn(f"{error} Encoding goes on and tries again.")
