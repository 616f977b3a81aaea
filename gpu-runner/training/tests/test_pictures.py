"""What people put into folders of pictures: read, or named before the first step."""

import io
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, features

from nextscale_train.cli import main
from nextscale_train.data import look as look_module
from nextscale_train.data.listing import list_classes, list_pictures
from nextscale_train.data.pictures import Pictures
from nextscale_train.data.reading import PictureError, open_rgb
from nextscale_train.data.splits import open_pictures
from nextscale_train.errors import CommandError
from tests.training import ALONE, folder_config, make_run

RED = (255, 0, 0)


def save(picture: Image.Image, path: Path, **options: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, **options)  # type: ignore[arg-type]
    return path


def red(path: Path, size: tuple[int, int] = (20, 20)) -> Path:
    return save(Image.new("RGB", size, "red"), path)


def encoded(picture: Image.Image, kind: str, **options: object) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def noise(size: tuple[int, int] = (64, 64)) -> Image.Image:
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (*size, 3), dtype=np.uint8))


def openly(root: Path, **data: object) -> Pictures:
    return open_pictures(folder_config(root, root.with_name(f"{root.name}-run"), **data), ALONE).train


def refusal(root: Path, **data: object) -> list[str]:
    """The lines that a folder of pictures is refused with."""
    with pytest.raises(CommandError) as refused:
        openly(root, **data)
    return str(refused.value).splitlines()


GREY_16 = np.full((20, 20), 0x8000, dtype=np.uint16)
READABLE: dict[str, tuple[Callable[[], Image.Image], dict[str, object], tuple[int, int, int]]] = {
    "grey.png": (lambda: Image.new("L", (20, 20), 128), {}, (128, 128, 128)),
    "bits.png": (lambda: Image.new("1", (20, 20), 1), {}, (255, 255, 255)),
    "palette.png": (lambda: Image.new("RGB", (20, 20), "red").quantize(4), {}, RED),
    "alpha.png": (lambda: Image.new("RGBA", (20, 20), (0, 0, 0, 0)), {}, (255, 255, 255)),
    "grey-alpha.png": (lambda: Image.new("LA", (20, 20), (0, 128)), {}, (127, 127, 127)),
    "colour-key.png": (lambda: Image.new("RGB", (20, 20), "red"), {"transparency": RED}, (255, 255, 255)),
    "16-bit.png": (lambda: Image.fromarray(GREY_16), {}, (128, 128, 128)),
    "16-bit.tif": (lambda: Image.fromarray(GREY_16), {}, (128, 128, 128)),
    "cmyk.jpg": (lambda: Image.new("CMYK", (20, 20), (0, 255, 255, 0)), {"quality": 100}, (254, 0, 0)),
    "animated.gif": (
        lambda: Image.new("RGB", (20, 20), "red"),
        {"save_all": True, "append_images": [Image.new("RGB", (20, 20), "blue")]},
        RED,
    ),
    "animated.webp": (
        lambda: Image.new("RGB", (20, 20), "red"),
        {"save_all": True, "append_images": [Image.new("RGB", (20, 20), "blue")], "lossless": True},
        RED,
    ),
    "tiny.png": (lambda: Image.new("RGB", (1, 1), "red"), {}, RED),
    "strip.png": (lambda: Image.new("RGB", (1, 60_000), "red"), {}, RED),
    "large.png": (lambda: Image.new("1", (12_000, 9_000), 1), {}, (255, 255, 255)),
    "picture.BMP": (lambda: Image.new("RGB", (20, 20), "red"), {}, RED),
    "狐 🦊 лиса.png": (lambda: Image.new("RGB", (20, 20), "red"), {}, RED),
}


@pytest.mark.parametrize("name", READABLE)
def test_every_kind_of_picture_is_read(tmp_path: Path, name: str) -> None:
    make, options, colour = READABLE[name]
    save(make(), tmp_path / "a" / name, **options)
    pictures = openly(tmp_path)
    for view in (0, 1):
        image, label = pictures.view(0, view)
        assert (tuple(image.shape), label) == ((3, 16, 16), 0)
        assert image.float().mean((1, 2)).tolist() == pytest.approx(colour, abs=2)
        assert float(image.float().std((1, 2)).max()) < 2


def test_avif_is_read_where_pillow_does(tmp_path: Path) -> None:
    path = tmp_path / "picture.avif"
    path.write_bytes(b"\0\0\0\x1cftypavif")
    is_read = features.check("avif")
    reason = (
        "it is no picture, or damaged at its beginning" if is_read else "it is AVIF, as phones make it, which is not read here"
    )
    with pytest.raises(PictureError, match=reason):
        open_rgb(path)
    if is_read:
        save(Image.new("RGB", (20, 20), "red"), path)
        assert np.asarray(open_rgb(path)).mean((0, 1)).tolist() == pytest.approx(RED, abs=4)


def png(width: int, height: int) -> bytes:
    """A PNG of 1 bit a pixel that is said to be of that size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")


UNREAD = "it is {}, as phones make it, which is not read here: convert it to JPEG or PNG"
UNREADABLE: dict[str, tuple[bytes, str]] = {
    "broken.jpg": (b"no picture yet", "it is no picture, or damaged at its beginning"),
    "empty.png": (b"", "it is empty"),
    "cut.jpg": (encoded(noise(), "JPEG")[:-400], "truncated"),
    "cut.png": (encoded(noise(), "PNG")[:-400], "truncated"),
    "cut.gif": (encoded(noise(), "GIF")[:-400], "truncated"),
    "cut.webp": (encoded(noise(), "WEBP")[:-400], "it is damaged: "),
    "cut.bmp": (encoded(noise(), "BMP")[:-400], "truncated"),
    "bomb.png": (png(60_000, 60_000), "it has more than 178,956,970 pixels: make it smaller"),
    "phone.heic": (
        b"\0\0\0\x18ftypheic\0\0\0\0mif1heic",
        UNREAD.format("HEIF"),
    ),
    "renamed.jpg": (
        b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic",
        UNREAD.format("HEIF"),
    ),
    "script.png": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "it is no picture, or damaged at its beginning"),
    "float.tiff": (encoded(Image.new("F", (9, 9)), "TIFF"), "its channels have 32 bits: save it with 8 or 16"),
}


def test_all_that_cannot_be_read_are_named_in_one_list(tmp_path: Path) -> None:
    for name, (data, _) in UNREADABLE.items():
        red(tmp_path / "a" / "good.png")
        (tmp_path / "a" / name).write_bytes(data)
    first, *lines, advice = refusal(tmp_path)
    assert first == f"{len(UNREADABLE)} of {len(UNREADABLE) + 1} pictures cannot be read:"
    assert advice == "Repair or remove them, or set data.skip_unreadable = true to go on without them."
    reasons = dict(line.removeprefix(f"  {tmp_path}/a/").split(": ", 1) for line in lines)
    assert list(reasons) == sorted(UNREADABLE)
    assert all(part in reasons[name] for name, (_, part) in UNREADABLE.items()), reasons


def test_a_list_too_long_for_the_terminal_is_whole_in_a_file(tmp_path: Path) -> None:
    root = tmp_path / "pictures"
    red(root / "a" / "good.png")
    for index in range(60):
        (root / "a" / f"{index:02}.png").write_bytes(b"")
    lines = refusal(root)
    file = tmp_path / "pictures-run" / "unreadable.txt"
    assert lines[-2] == f"  and 10 more: all are named in {file}"
    assert len(lines) == 1 + 50 + 2
    assert file.read_text().splitlines() == [f"{root}/a/{index:02}.png: it is empty" for index in range(60)]


def test_unreadable_pictures_are_skipped_where_that_is_wanted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    for name in ("0.png", "2.png"):
        red(tmp_path / "a" / name)
    (tmp_path / "a" / "1.png").write_bytes(b"")
    pictures = openly(tmp_path, skip_unreadable=True)
    assert len(pictures) == 2
    told = capfd.readouterr().err
    assert told == f"1 of 3 pictures cannot be read:\n  {tmp_path}/a/1.png: it is empty\nThey are skipped.\n"
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "0.png").write_bytes(b"")
    assert refusal(tmp_path, skip_unreadable=True) == [
        f"data.path: add pictures to these folders of {tmp_path}, or remove them: b."
    ]


def test_what_vanishes_later_is_replaced_where_that_is_wanted(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    save(Image.new("RGB", (20, 20), "red"), tmp_path / "a" / "0.png")
    save(Image.new("RGB", (20, 20), "blue"), tmp_path / "b" / "0.png")
    strict, lenient = openly(tmp_path), openly(tmp_path, skip_unreadable=True)
    (tmp_path / "a" / "0.png").unlink()
    with pytest.raises(PictureError, match=r"a/0\.png cannot be read as a picture \(no such file or directory\)"):
        strict.view(0, 0)
    for _ in range(2):
        image, label = lenient.view(0, 0)
        assert (image[:, 0, 0].tolist(), label) == ([0, 0, 255], 1)
    assert capfd.readouterr().err.count("The next picture stands in for it.") == 1
    (tmp_path / "b" / "0.png").unlink()
    with pytest.raises(PictureError, match=r"a/0\.png"):
        lenient.view(0, 0)


def test_only_what_has_changed_is_looked_at_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def noting(path: Path) -> Image.Image:
        opened.append(path.name)
        return open_rgb(path)

    def look() -> list[str]:
        opened.clear()
        openly(tmp_path, skip_unreadable=True)
        return opened

    monkeypatch.setattr(look_module, "open_rgb", noting)
    for name in "abc":
        red(tmp_path / "class" / f"{name}.png")
    (tmp_path / "class" / "bad.png").write_bytes(b"")
    assert look() == ["a.png", "b.png", "bad.png", "c.png"]
    assert look() == ["bad.png"]
    red(tmp_path / "class" / "b.png", (21, 21))
    os.utime(tmp_path / "class" / "c.png", ns=(0, 0))
    red(tmp_path / "class" / "d.png")
    assert look() == ["b.png", "bad.png", "c.png", "d.png"]
    memory = tmp_path.with_name(f"{tmp_path.name}-run") / "pictures.json"
    for damaged in ("", "[]", '{"made_with": 1}', memory.read_text()[:-20]):
        memory.write_text(damaged)
        assert len(look()) == 5


def test_a_look_that_is_interrupted_goes_on_where_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []

    def interrupted(path: Path) -> Image.Image:
        opened.append(path.name)
        if len(opened) == 10:
            raise SystemExit(143)
        return open_rgb(path)

    monkeypatch.setattr(look_module, "open_rgb", interrupted)
    for index in range(12):
        red(tmp_path / "a" / f"{index:02}.png")
    with pytest.raises(SystemExit):
        openly(tmp_path)
    openly(tmp_path)
    assert opened == [f"{index:02}.png" for index in [*range(10), *range(8, 12)]]


def test_what_systems_put_there_is_not_seen(tmp_path: Path) -> None:
    red(tmp_path / "a" / "0.png")
    for hidden in (".DS_Store", "Thumbs.db", "desktop.ini", "._0.png"):
        (tmp_path / hidden).write_bytes(b"")
        (tmp_path / "a" / hidden).write_bytes(b"")
    for folder in ("__MACOSX", ".git", "a/.thumbnails", "a/@eaDir"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "0.png").write_bytes(b"")
    listing = list_classes(tmp_path)
    assert ([path.name for path in listing.pictures], list(listing.classes), listing.faults) == (["0.png"], ["a"], [])
    assert not listing.classes["a"].others


def test_a_run_that_is_kept_among_the_pictures_is_no_class(tmp_path: Path) -> None:
    red(tmp_path / "a" / "0.png")
    red(tmp_path / "run" / "samples" / "tokenizer-001000.png")
    config = folder_config(tmp_path, tmp_path / "run")
    for _ in range(2):
        assert open_pictures(config, ALONE).train.classes == ("a",)
    red(tmp_path / "a" / "run" / "samples" / "tokenizer-001000.png")
    assert len(open_pictures(folder_config(tmp_path, tmp_path / "a" / "run"), ALONE).train) == 2


def test_links_are_followed_and_those_that_lead_nowhere_are_named(tmp_path: Path) -> None:
    root, elsewhere = tmp_path / "pictures", tmp_path / "elsewhere"
    red(elsewhere / "far.png")
    red(root / "a" / "near.png")
    for name, target in {
        "a/linked.png": elsewhere / "far.png",
        "a/folder": elsewhere,
        "a/again": root / "a",
        "a/gone.png": elsewhere / "none.png",
        "a/gone": elsewhere / "none",
        "a/self.png": root / "a" / "self.png",
        "a/up": root,
        "a/notes.txt": elsewhere / "none.txt",
        "b": elsewhere,
        "c": elsewhere / "none",
    }.items():
        (root / name).symlink_to(target)
    os.mkfifo(root / "a" / "pipe.png")
    listing = list_classes(root)
    assert [path.relative_to(root).as_posix() for path in listing.pictures] == [
        "a/folder/far.png",
        "a/linked.png",
        "a/near.png",
        "b/far.png",
    ]
    assert {fault.path.relative_to(root).as_posix(): fault.reason for fault in listing.faults} == {
        "a/gone": "a link that leads nowhere: no such file or directory",
        "a/gone.png": "a link that leads nowhere: no such file or directory",
        "a/pipe.png": "it is no regular file",
        "a/self.png": "a link that leads nowhere: too many levels of symbolic links",
        "a/up": "it is a link back to a directory that it lies in",
        "c": "a link that leads nowhere: no such file or directory",
    }


def test_folders_that_link_to_each_other_end(tmp_path: Path) -> None:
    folders = [tmp_path / f"{index}" for index in range(12)]
    for folder in folders:
        red(folder / "0.png")
    for folder in folders:
        for other in folders:
            (folder / f"to-{other.name}").symlink_to(other)
    assert len(list_pictures(folders[0]).pictures) == 12


def test_what_may_not_be_meant_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    red(tmp_path / "train" / "cat" / "0.png")
    red(tmp_path / "train" / "cat" / "1.png", (1, 8))
    (tmp_path / "train" / "cat" / "0.txt").write_text("a cat")
    red(tmp_path / "stray.png")
    openly(tmp_path)
    assert capsys.readouterr().out.splitlines() == [
        "Looking at 2 pictures not seen before.",
        "Files that are no pictures are left out: 1 .txt.",
        "Left out, as they lie beside the folders of the classes: 1 picture, such as stray.png.",
        "No picture lies directly in the folder of its class, as train/cat/0.png, which counts as train: "
        "if it should count as cat, data.path is one folder too high.",
        "There is one class only: train.",
        "Enlarged to 16 px: 1 picture; train/cat/1.png has 1 x 8.",
        "2 pictures of 1 class, 0 held out.",
    ]


def test_names_may_be_of_any_script_but_must_be_writable(tmp_path: Path) -> None:
    for name in ("лиса", "狐", "cafe\u0301", "नेपाल\u200dी", "👩\u200d🚀"):
        red(tmp_path / name / "0.png")
    assert "café" in openly(tmp_path).classes
    assert len(openly(tmp_path).classes) == 5
    red(tmp_path / "café" / "0.png")
    assert refusal(tmp_path) == [f"data.path: {tmp_path} has two folders that are called café: rename one."]
    (tmp_path / "café" / "0.png").unlink()
    (tmp_path / "café").rmdir()
    bad = os.fsencode(tmp_path / "狐") + b"/\xff\n.png"
    Path(os.fsdecode(bad)).write_bytes(b"")
    assert refusal(tmp_path)[1] == f"  {tmp_path}/狐/\\udcff\\n.png: it is empty"
    Path(os.fsdecode(os.fsencode(tmp_path / "狐") + b"\xff")).mkdir()
    assert refusal(tmp_path) == ["data.path: the folder 狐\\udcff has a name that cannot be written: rename it."]


def test_what_may_not_be_opened_is_named(tmp_path: Path) -> None:
    """In a process without the rights of root."""
    code = """
import os, sys
from pathlib import Path
from PIL import Image, features
from nextscale_train.data.splits import open_pictures
from nextscale_train.errors import CommandError
from tests.training import ALONE, folder_config
root = Path(sys.argv[1])
if os.geteuid() == 0:
    os.seteuid(65534)
for name in ("a/0.png", "a/1.png", "a/shut/2.png", "b/3.png"):
    (root / "pictures" / name).parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (20, 20)).save(root / "pictures" / name)
for name in ("a/1.png", "a/shut"):
    (root / "pictures" / name).chmod(0)
def complain():
    try:
        open_pictures(folder_config(root / "pictures", root / "run"), ALONE)
    except CommandError as error:
        print(error)
complain()
(root / "pictures" / "a" / "shut").chmod(0o700)
(root / "pictures" / "a" / "1.png").chmod(0o600)
(root / "pictures").chmod(0)
complain()
(root / "pictures").chmod(0o700)
complain()
"""
    with_rights = tmp_path / "open"
    with_rights.mkdir()
    with_rights.chmod(0o777)
    for parent in with_rights.parents[:3]:
        parent.chmod(parent.stat().st_mode | 0o055)
    command = [sys.executable, "-c", code, str(with_rights)]
    told = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=True).stdout.splitlines()
    root = with_rights / "pictures"
    assert [line for line in told if not line.startswith("Looking at")] == [
        "2 of 4 pictures cannot be read:",
        f"  {root}/a/1.png: permission denied",
        f"  {root}/a/shut: permission denied",
        "Repair or remove them, or set data.skip_unreadable = true to go on without them.",
        f"data.path: {root}: permission denied.",
        "4 pictures of 2 classes, 0 held out.",
    ]


@pytest.mark.parametrize("workers", [0, 2])
def test_a_broken_picture_ends_a_command_before_its_first_step(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], workers: int
) -> None:
    config = make_run(tmp_path, workers=workers)
    for name in ("blue", "red"):
        (tmp_path / "pictures" / name / "broken.jpg").write_bytes(b"no picture yet")
    assert main(["tokenizer", str(config)]) == 1
    told = capsys.readouterr()
    assert told.out == "Looking at 26 pictures not seen before.\n"
    assert told.err.splitlines() == [
        "nextscale-train: 2 of 26 pictures cannot be read:",
        f"  {tmp_path}/pictures/blue/broken.jpg: it is no picture, or damaged at its beginning",
        f"  {tmp_path}/pictures/red/broken.jpg: it is no picture, or damaged at its beginning",
        "Repair or remove them, or set data.skip_unreadable = true to go on without them.",
    ]
    config.write_text(config.read_text().replace("held_out", "skip_unreadable = true\nheld_out"))
    assert main(["tokenizer", str(config)]) == 0
    assert main(["transformer", str(config)]) == 0
