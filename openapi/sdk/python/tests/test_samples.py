"""The Python that the reference shows."""

from __future__ import annotations

from pathlib import Path

from .stand_in import DOCUMENT
from .test_types import check

REPOSITORY = Path(__file__).parents[4]
RECEIVER = REPOSITORY / "tests" / "src" / "receivers" / "receiver.py"
SAMPLES: dict[str, str] = {
    operation["operationId"]: sample["source"]
    for methods in DOCUMENT["paths"].values()
    for operation in methods.values()
    for sample in operation.get("x-codeSamples", [])
    if sample["lang"] == "Python"
}


def test_every_sample_is_a_program_the_checker_takes(tmp_path: Path) -> None:
    assert len(SAMPLES) >= 12
    for name, source in SAMPLES.items():
        compile(source, name, "exec")
        assert "Success: no issues found" in check(source, tmp_path), name


def test_a_sample_with_a_wrong_name_is_found(tmp_path: Path) -> None:
    source = SAMPLES["createGeneration"]
    for wrong in (source.replace("generate_and_wait", "generate_wait"), source.replace("class_name", "class")):
        assert "Success" not in check(wrong, tmp_path)


def test_the_receiver_of_the_guide_is_a_program_the_checker_takes(tmp_path: Path) -> None:
    assert "Success: no issues found" in check(RECEIVER.read_text(), tmp_path)
