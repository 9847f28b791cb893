"""The small pictures of a comparison's page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from s2s_lit.comparison.pictures import attention_svg, lines_svg

SOURCE, TARGET = ["▁a", "<b>&", "$x_{", "</s>"], ["▁y", "--></svg>"]
SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_tokens_are_texts_and_equal_weights_give_equal_pictures() -> None:
    weights = np.full((2, 4), 0.25, dtype=np.float32)
    picture = attention_svg(weights, SOURCE, TARGET)
    assert texts(picture) == [*SOURCE, *TARGET]
    assert attention_svg(weights, SOURCE, TARGET) == picture
    assert attention_svg(np.eye(2, 4, dtype=np.float32), SOURCE, TARGET) != picture


def test_cells_have_one_size_and_labels_have_room() -> None:
    longest = "▁Donaudampfschifffahrt"
    sizes = []
    for rows, columns in ((1, 1), (3, 20)):
        picture = attention_svg(np.ones((rows, columns), np.float32), [longest] * columns, [longest] * rows)
        (image,) = ElementTree.fromstring(picture).iter(f"{SVG}image")
        sizes.append([float(number) for number in re.findall(r"[\d.]+", image.attrib["transform"])][:4:3])
        assert (image.attrib["width"], image.attrib["height"]) == (str(columns), str(rows))
        _, _, width, _ = map(float, ElementTree.fromstring(picture).attrib["viewBox"].split())
        starts = [float(e.attrib["x"]) for e in ElementTree.fromstring(picture).iter(f"{SVG}text")]
        assert 0 <= min(starts) <= max(starts) < width - 20
    assert sizes[0] == pytest.approx(sizes[1])


def test_weights_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2, 3\) do not fit 2 target and 4 source"):
        attention_svg(np.ones((2, 3), np.float32), SOURCE, TARGET)


def test_lines_have_named_places_and_gaps() -> None:
    picture = lines_svg(["1-5", "6-10", "11+"], {"a": [1.0, None, 3.0], "b": [2.0, 2.0, 2.0]}, x="words", y="score")
    assert {"1-5", "6-10", "11+", "words", "score"} <= set(texts(picture))
    assert lines_svg(["1-5"], {"a": [None]}, x="words", y="score").startswith("<svg")
