"""Pictures to train on and to measure with."""

from nextscale_train.config import Config
from nextscale_train.data.emoji import EmojiPictures
from nextscale_train.data.folder import FolderPictures
from nextscale_train.data.pictures import Pictures, Split

__all__ = ["EmojiPictures", "FolderPictures", "Pictures", "Split", "open_pictures"]

HELD_OUT_EMOJI = 3_000


def open_pictures(config: Config, split: Split) -> Pictures:
    """The pictures of a run, those to train on or those only evaluation sees.

    Raises:
        CommandError: the font or the pictures are missing.
    """
    data, resolution = config.data, config.tokenizer.sizes().resolution
    if data.kind == "emoji":
        count = data.pictures if split == "train" else min(HELD_OUT_EMOJI, data.pictures)
        return EmojiPictures(count, resolution, seed=data.seed, split=split)
    assert data.path is not None
    return FolderPictures(data.path, resolution, split=split, held_out=data.held_out, flip=data.flip, seed=data.seed)
