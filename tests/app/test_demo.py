"""The demo in small: what it prints, and that its numbers are those of the files it leaves."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="needs torch: pip install 'bitwright[train]'")

from bitwright import load, load_data  # noqa: E402
from bitwright.app.demo import demo  # noqa: E402
from bitwright.app.draw import draw_image  # noqa: E402


def test_demo_prints_one_table_a_digit_and_the_way_on(tmp_path, capsys):
    assert demo("digits", tmp_path, epochs=3, model_options={"hidden": [64]}) == 0
    said = capsys.readouterr().out
    program, data = load(tmp_path / "demo-digits/model.bw"), load_data("digits")
    accuracy = 100 * (program.predict(data.x_test) == data.y_test).mean()
    row = next(line for line in said.splitlines() if "accuracy" in line and "│" in line)
    assert f"{accuracy:.2f} ±" in row.split("│")[-2] and f"{accuracy:.2f} ±" in row.split("│")[-3]
    assert f"{(tmp_path / 'demo-digits/model.bw').stat().st_size:,}" in said
    bits = next(line for line in said.splitlines() if line.startswith("│ bits:"))
    assert "32/32/none/32" in bits and "1/1/none/" in bits.split("│")[-2]
    assert "0 of" in said and "images/s, batch 256" in said and "true " in said and "train --data photos/" in said


def test_other_data_is_an_error():
    with pytest.raises(ValueError, match="digits, mnist"):
        demo("photos/")


def test_draw_image_shades_and_merges():
    image = np.zeros((1, 2, 3))
    image[0, 0] = [0, 8, 16]
    assert draw_image(image, 16) == "  ▒▒██\n"
    large = np.zeros((3, 28, 28))
    large[:, :14] = 255
    assert draw_image(large, 255).split("\n") == ["██" * 14] * 7 + [""] * 7


def test_ratios_are_never_written_with_an_exponent():
    from bitwright.app.demo import _times

    found = [_times(ratio) for ratio in (0.114, 1.62, 9.96, 62.4, 213.7, 1234)]
    assert found == ["0.11", "1.6", "10", "62", "214", "1,234"]
