import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from nextscale_train.cli import main
from nextscale_train.scaling.fit import count_parameters, fit_power_law, frontier, training_flops
from nextscale_train.scaling.plot import Axis, Panel, draw
from tests.models import small_transformer
from tests.training import make_run


def test_a_power_law_is_found_again() -> None:
    law = fit_power_law([(x, 7 * x**-0.3) for x in (1e3, 1e5, 2e6)])
    assert (law.factor, law.exponent, law.correlation) == pytest.approx((7, -0.3, -1))
    assert law.at(1e4) == pytest.approx(7 * 1e4**-0.3)


def test_the_frontier_is_what_nothing_cheaper_beats() -> None:
    points = [(3.0, 5.0), (1.0, 9.0), (2.0, 9.5), (2.0, 6.0), (4.0, 5.5), (5.0, 4.0)]
    assert frontier(points) == [(1.0, 9.0), (2.0, 6.0), (3.0, 5.0), (5.0, 4.0)]


def test_embeddings_are_not_counted() -> None:
    transformer = small_transformer(shared_adaln=False)
    embeddings = 4 * 16 + 4 * 16 + 1 * 16 + 30 * 16
    assert count_parameters(transformer) == sum(each.numel() for each in transformer.parameters()) - embeddings
    assert training_flops(10, 7) == 420


def test_the_axis_is_logarithmic_and_its_ticks_lie_on_it() -> None:
    axis = Axis.around([1e3, 1e5], 0, 100)
    assert axis.place(1e4) == pytest.approx(50)
    for values in ([1e3, 1e9], [2.0, 2.4], [2.62, 2.91], [1.0, 8.0], [3.0, 3.0], [2e7, 6e7]):
        ticks = Axis.around(values, 0, 1).ticks()
        assert 3 <= len(ticks) <= 9
        assert all(0 <= Axis.around(values, 0, 1).place(tick) <= 1 for tick in ticks)


def test_the_plot_shows_every_point() -> None:
    points = [(1e6, 4.0), (1e7, 3.0), (1e8, 2.5)]
    panel = Panel("a & b", "x", "y", points, fit_power_law(points), [(1e6, 5.0)])
    root = ElementTree.fromstring(draw([panel, panel]))
    assert len(root.findall(".//{*}circle")) == 8
    assert any(text.text == "a & b" for text in root.iter("{http://www.w3.org/2000/svg}text"))


def test_sizes_are_trained_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, out = make_run(tmp_path, tokenizer_steps=2, transformer_steps=8), tmp_path / "scaling"
    config.write_text(config.read_text().replace("save_every = 1000", "save_every = 2"))
    assert main(["tokenizer", str(config)]) == 0
    assert main(["scaling", str(config), "--depths", "2", "1", "--out", str(out)]) == 0
    found = json.loads((out / "scaling.json").read_text())
    assert [trial["depth"] for trial in found["trials"]] == [1, 2]
    assert found["trials"][0]["parameters"] < found["trials"][1]["parameters"]
    assert all(len(trial["curve"]) == 4 for trial in found["trials"])
    assert "size" in found["laws"]
    assert ElementTree.parse(out / "scaling.svg").getroot().tag.endswith("svg")
    assert main(["scaling", str(config), "--depths", "3", "--out", str(out)]) == 1
    assert "two different depths" in capsys.readouterr().err
