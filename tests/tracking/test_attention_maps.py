from __future__ import annotations

import warnings
from io import BytesIO

import numpy as np
import pytest
import torch
from matplotlib.figure import Figure

from s2s_lit.tracking.records.attention_maps import attention_figure, attention_picture
from s2s_lit.tracking.rendering import render
from s2s_lit.types import Prediction


def rendered(figure: Figure) -> np.ndarray:
    from matplotlib.image import imread

    return imread(BytesIO(render(figure)))


def test_rows_are_target_tokens_and_columns_source_tokens() -> None:
    figure = attention_figure(np.eye(2, 3), ["▁a", "b", "</s>"], ["▁x", "y"], title="xy")
    axes, bar = figure.axes
    assert [t.get_text() for t in axes.get_xticklabels()] == ["▁a", "b", "</s>"]
    assert [t.get_text() for t in axes.get_yticklabels()] == ["▁x", "y"]
    np.testing.assert_array_equal(axes.images[0].get_array(), np.eye(2, 3))
    assert axes.yaxis_inverted()  # the first target token stands on top
    assert "attention weight" in bar.get_ylabel()


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (1, 40), (40, 1), (45, 45)])
def test_every_label_lies_within_the_picture(rows: int, columns: int) -> None:
    longest = "▁Donaudampfschifffahrt"
    figure = attention_figure(
        np.ones((rows, columns)) / columns, [longest] * columns, [longest] * rows, title="Wörter " * 12
    )
    rendered(figure)
    canvas = figure.bbox
    axes = figure.axes[0]
    texts = [*axes.get_xticklabels(), *axes.get_yticklabels(), figure._suptitle]  # type: ignore[attr-defined]
    for text in texts:
        box = text.get_window_extent()
        assert box.x0 >= canvas.x0 - 1
        assert box.x1 <= canvas.x1 + 1
        assert box.y0 >= canvas.y0 - 1
        assert box.y1 <= canvas.y1 + 1


def test_dollars_umlauts_and_unknown_scripts_draw_without_a_word() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        weights = torch.full((2, 2), 0.5, requires_grad=True)
        tokens = ["$5$_{", "Straße漢"]
        picture = attention_picture(Prediction({"source": "s"}, ("r",), "Preis: $5$ 漢", tokens, tokens, 0.0, weights))
        assert rendered(picture).std() > 0


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(2, 2\) do not fit 1 target and 2 source"):
        attention_figure(np.ones((2, 2)), ["a", "b"], ["x"])
    with pytest.raises(ValueError, match="no attention"):
        attention_picture(Prediction({"source": "s"}, ("r",), "h", ["a"], ["b"], 0.0))
