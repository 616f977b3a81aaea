"""Pictures to train on and to measure with."""

from nextscale_train.data.emoji import EmojiPictures
from nextscale_train.data.folder import FolderPictures
from nextscale_train.data.pictures import Pictures, Split

__all__ = ["EmojiPictures", "FolderPictures", "Pictures", "Split"]
