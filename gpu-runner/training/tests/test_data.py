import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from PIL import Image

from nextscale_train.data import EmojiPictures, Pictures, Split
from nextscale_train.data.splits import open_pictures
from nextscale_train.errors import CommandError
from tests.training import ALONE, folder_config

SHIPPED = Path(__file__).parents[2] / "models" / "emoji-32" / "manifest.json"


def folder(root: Path, *, split: Split = "train", **data: object) -> Pictures:
    """Pictures of 16 px, all to train on, unless `data` says otherwise."""
    splits = open_pictures(folder_config(root, root.with_name(f"{root.name}-run"), **data), ALONE)
    pictures = splits.train if split == "train" else splits.held_out
    assert pictures is not None
    return pictures


def write(path: Path, colour: str, size: tuple[int, int] = (40, 24)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def test_an_emoji_comes_from_seed_split_index_and_view_alone() -> None:
    code = (
        "import hashlib; from nextscale_train.data import EmojiPictures; p = EmojiPictures(99, 32, seed=7, split='train');"
        "p.view(3, 0); print(hashlib.sha256(p.view(61, 2)[0].numpy().tobytes()).hexdigest())"
    )
    root = Path(__file__).parents[1]
    digests = {subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, check=True).stdout for _ in range(2)}
    assert len(digests) == 1
    pictures = EmojiPictures(99, 32, seed=7, split="train")
    same = [pictures.view(61, 2)[0], EmojiPictures(99, 32, seed=7, split="train").view(61, 2)[0]]
    others = [
        pictures.view(61, 1)[0],
        pictures.view(1, 2)[0],
        EmojiPictures(99, 32, seed=8, split="train").view(61, 2)[0],
        EmojiPictures(99, 32, seed=7, split="held_out").view(61, 2)[0],
    ]
    assert torch.equal(*same)
    assert not any(torch.equal(same[0], other) for other in others)


def test_emoji_have_the_classes_of_the_shipped_model() -> None:
    pictures = EmojiPictures(120, 16, seed=0, split="train")
    assert list(pictures.classes) == json.loads(SHIPPED.read_text())["classes"]
    picture, label = pictures[62]
    assert (label, picture.dtype, tuple(picture.shape)) == (2, torch.uint8, (3, 16, 16))
    with pytest.raises(IndexError):
        pictures[120]


def test_folders_are_classes_in_order_of_their_names(tmp_path: Path) -> None:
    write(tmp_path / "red" / "a.png", "red")
    write(tmp_path / "blue" / "b.JPG", "blue", (24, 40))
    write(tmp_path / "blue" / "deeper" / "c.webp", "blue")
    write(tmp_path / ".hidden" / "d.png", "green")
    (tmp_path / "blue" / "notes.txt").write_text("no picture")
    pictures = folder(tmp_path)
    assert (pictures.classes, len(pictures)) == (("blue", "red"), 3)
    assert [label for _, label in (pictures[i] for i in range(3))] == [0, 0, 1]
    assert all(tuple(pictures[i][0].shape) == (3, 16, 16) for i in range(3))
    assert pictures[2][0].float().mean((1, 2)).tolist() == [255, 0, 0]


def test_the_first_view_is_the_middle_and_others_are_cut_and_mirrored_anew(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    ramp = Image.linear_gradient("L").rotate(90).resize((64, 32)).convert("RGB")
    ramp.save(tmp_path / "a" / "ramp.png")
    pictures, unflipped = folder(tmp_path), folder(tmp_path, flip=False)

    def rises(picture: torch.Tensor) -> bool:
        return bool(picture[0, 0, 0] < picture[0, 0, -1])

    first = rises(pictures.view(0, 0)[0])
    assert torch.equal(pictures.view(0, 0)[0], pictures[0][0])
    views = [pictures.view(0, view)[0] for view in range(1, 20)]
    assert {rises(view) for view in views} == {True, False}
    assert {rises(unflipped.view(0, view)[0]) for view in range(1, 20)} == {first}
    assert len({view.numpy().tobytes() for view in views}) > 5
    assert torch.equal(views[3], pictures.view(0, 4)[0])


def test_transparent_parts_are_white_and_pictures_stand_upright(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    Image.new("RGBA", (16, 16), (255, 0, 0, 0)).save(tmp_path / "a" / "clear.png")
    lying = Image.new("RGB", (16, 16))
    lying.paste("white", (0, 0, 16, 8))
    exif = Image.Exif()
    exif[0x0112] = 3  # upside down
    lying.save(tmp_path / "a" / "turned.png", exif=exif)
    pictures = folder(tmp_path)
    assert int(pictures[0][0].min()) == 255
    assert (int(pictures[1][0][0, 0, 0]), int(pictures[1][0][0, -1, 0])) == (0, 255)


def test_a_picture_is_held_out_whatever_other_pictures_there_are(tmp_path: Path) -> None:
    for index in range(40):
        write(tmp_path / "a" / f"{index}.png", f"rgb({index}, 0, 0)")
    kept, seen = folder(tmp_path, split="held_out", held_out=0.3), folder(tmp_path, held_out=0.3)
    assert len(kept) + len(seen) == 40
    assert 4 < len(kept) < 20

    def reds(pictures: Pictures) -> set[int]:
        return {int(pictures[i][0][0, 0, 0]) for i in range(len(pictures))}

    before = reds(kept)
    assert before.isdisjoint(reds(seen))
    write(tmp_path / "a" / "more.png", "rgb(200, 0, 0)")
    assert reds(folder(tmp_path, split="held_out", held_out=0.3)) - {200} == before


def test_folders_that_cannot_be_used_are_refused_in_a_sentence(tmp_path: Path) -> None:
    def refusal(root: Path, held_out: float = 0.0) -> str:
        with pytest.raises(CommandError) as refused:
            folder(root, held_out=held_out)
        return str(refused.value)

    assert "not a directory" in refusal(tmp_path / "none")
    root = tmp_path / "pictures"
    root.mkdir()
    assert "no sub-folders" in refusal(root)
    write(root / "a" / "0.png", "red")
    assert "raise data.held_out" in refusal(root, held_out=1e-9)
    assert "no picture is left to train on of a" in refusal(root, held_out=0.999999)
    (root / "b").mkdir()
    (root / "c" / "deeper").mkdir(parents=True)
    assert refusal(root) == f"data.path: add pictures to these folders of {root}, or remove them: b, c."
