from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from s2s_lit.__main__ import main
from s2s_lit.errors import UserError
from s2s_lit.inference.neighbours import ids_of, nearest
from s2s_lit.text.sentencepiece import SentencePiece
from s2s_lit.text.words import Words
from s2s_lit.tracking.client.runs import RunRecord, connect
from s2s_lit.tracking.records.embedding_maps import embedding_figure, principal_plane

TEXTS, OTHERS = ["a house and a mouse in the garden"] * 3, ["ein Haus"] * 3


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S2S_CACHE", str(tmp_path))


def test_nearest_by_cosine_without_specials_and_the_word_itself() -> None:
    vectors = torch.randn(30, 5, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    table, query = vectors.numpy(), vectors[[7, 9]].mean(0).numpy()
    cosines = table @ query / np.linalg.norm(table, axis=1) / np.linalg.norm(query)
    wanted = [i for i in np.argsort(-cosines) if i > 3 and i not in (7, 9)]
    found = nearest(vectors, [7, 9], 100)
    assert [i for i, _ in found] == wanted
    assert [c for _, c in found] == pytest.approx(cosines[wanted].tolist())
    assert nearest(vectors, [7, 9], 3) == found[:3]


def test_a_word_is_its_token_or_its_tokens_or_an_error_with_those_spelled_alike() -> None:
    words = Words().train(TEXTS)
    assert [words.tokens[i] for i in ids_of("house", words)] == ["house"]
    with pytest.raises(UserError, match=r"no 'hause'; did you mean house, mouse"):
        ids_of("hause", words)
    subwords = SentencePiece(vocab_size=24).train([text for pair in zip(TEXTS, OTHERS, strict=True) for text in pair])
    assert ids_of("house", subwords) == subwords.encode("house")
    assert ids_of(subwords.tokens[8], subwords) == [8]
    for nothing in ("", "犬", "<pad>"):
        with pytest.raises(UserError, match="the vocabulary has no"):
            ids_of(nothing, words)


def test_a_run_is_asked_and_has_its_pictures(
    trained: RunRecord, in_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["neighbours", "latest", "--word", "man", "--side", "target", "--count", "7"]) == 0
    shown = capsys.readouterr().out
    assert "nearest to man" in shown
    assert sum(line.startswith("│") for line in shown.splitlines()) == 7
    assert main(["neighbours", "latest", "--word", "犬"]) == 2
    assert "the vocabulary has no" in capsys.readouterr().err
    pictures = {file.path for file in connect().list_artifacts(trained.run_id, "embeddings")}
    assert pictures == {"embeddings/source.png", "embeddings/target.png"}


def test_labels_of_a_picture_do_not_hide_each_other() -> None:
    rng = np.random.default_rng(0)
    names = [f"$piece_{i}" for i in range(80)]
    figure = embedding_figure(rng.normal(size=(80, 10)), names, title="a")
    texts = figure.axes[0].texts
    assert len(texts) > 60
    assert texts[0].get_text() == names[0]
    boxes = [text.get_window_extent(figure.canvas.get_renderer()) for text in texts]  # type: ignore[attr-defined]
    shrunk = [box.padded(-1.0) for box in boxes]
    assert not any(a.overlaps(b) for i, a in enumerate(shrunk) for b in shrunk[:i])


def test_a_picture_needs_a_vector_for_each_token() -> None:
    with pytest.raises(ValueError, match="do not fit"):
        embedding_figure(np.zeros((2, 3)), ["a"])


@pytest.mark.parametrize("shape", [(1, 3), (2, 3), (3, 1)])
def test_what_spans_no_plane_is_drawn_all_the_same(shape: tuple[int, int]) -> None:
    vectors = np.random.default_rng(0).normal(size=shape)
    points, _ = principal_plane(vectors)
    between = np.linalg.norm(vectors[:, None] - vectors[None], axis=-1)
    np.testing.assert_allclose(np.linalg.norm(points[:, None] - points[None], axis=-1), between, atol=1e-12)
    embedding_figure(vectors, list("abc")[: len(vectors)])
