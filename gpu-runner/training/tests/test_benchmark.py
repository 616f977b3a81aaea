import io
import json
from pathlib import Path

import pytest

from nextscale_train import benchmark
from tests.models import FIXTURE

FILES = ["benchmark", "--vae", str(FIXTURE / "vae.pth"), "--var", str(FIXTURE / "var.pth")]


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_one_line_of_json_without_the_first_round(
    precision: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", [*FILES, "--precision", precision, "--threads", "1", "--rounds", "1", "--top-k", "400"])
    assert benchmark.main() == 0
    (line,) = capsys.readouterr().out.splitlines()
    result = json.loads(line)
    assert (result["precision"], result["batch"], result["threads"]) == (precision, 1, 1)
    (measured,) = result["rounds"]
    assert len(measured["scale_ms"]) == 10
    assert 0 < sum(measured["scale_ms"]) + measured["decode_ms"] <= measured["total_ms"] * 1.01
    assert result["peak_rss_bytes"] > 50e6


def test_a_missing_file_is_an_error_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", [*FILES, "--var", str(tmp_path / "none.pth")])
    assert benchmark.main() == 1
    assert "none.pth" in capsys.readouterr().err


def test_in_conversation_every_line_of_input_is_a_round(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", [*FILES, "--interactive", "--threads", "1", "--top-k", "400"])
    monkeypatch.setattr("sys.stdin", io.StringIO("round\nround\n"))
    assert benchmark.main() == 0
    ready, *rounds = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert ready["load_ms"] > 0
    assert [len(measured["scale_ms"]) for measured in rounds] == [10, 10]
