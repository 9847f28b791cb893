from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import torch

from s2s_lit.errors import UserError
from s2s_lit.text.vectors import read_vectors
from s2s_lit.text.vocabulary import SPECIALS

PIECES = (*SPECIALS, "\u2581man", "Mann", "\uffed.", "the", "\u2581The", "in g", "7")


def read(tmp_path: Path, content: str | bytes, size: int = 2, name: str = "vectors.txt") -> dict[str, list[float]]:
    path = tmp_path / name
    data = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    ids, vectors = read_vectors(path, PIECES, size)
    assert vectors.shape == (len(ids), size)
    assert vectors.dtype == torch.float32
    return dict(zip([PIECES[i] for i in ids.tolist()], vectors.tolist(), strict=True))


@pytest.mark.parametrize("name", ["vectors.txt", "vectors.txt.gz"])
@pytest.mark.parametrize("header", ["", "3 2\n"])
@pytest.mark.parametrize("end", ["\n", " \n", "\r\n"])
def test_word2vec_and_glove_files_with_and_without_a_header(tmp_path: Path, name: str, header: str, end: str) -> None:
    lines = ["man 0.5 -1", "cat 1 1", "Mann 1e-1 2"]
    content = header + "".join(line + end for line in lines)
    found = read(tmp_path, content, name=name)
    assert found == {"\u2581man": [0.5, -1.0], "Mann": [pytest.approx(0.1), 2.0]}


def test_own_spelling_goes_before_bare_before_lower_case(tmp_path: Path) -> None:
    found = read(tmp_path, "the 1 1\nThe 2 2\n\u2581The 3 3\nmann 4 4\n. 5 5\nmann 6 6\n")
    assert found == {"the": [1, 1], "\u2581The": [3, 3], "Mann": [4, 4], "\uffed.": [5, 5]}
    assert read(tmp_path, "the 1 1\nThe 2 2\n")["\u2581The"] == [2, 2]
    assert read(tmp_path, "the 1 1\n")["\u2581The"] == [1, 1]


def test_specials_take_no_vector(tmp_path: Path) -> None:
    assert read(tmp_path, "<unk> 1 1\n</s> 2 2\n") == {}


def test_a_token_with_spaces_and_one_that_is_a_number(tmp_path: Path) -> None:
    assert read(tmp_path, "in g 1 2\n7 3 4\n. . . 5 6\n") == {"in g": [1, 2], "7": [3, 4]}


def test_words_in_a_broken_encoding_are_passed_over(tmp_path: Path) -> None:
    assert read(tmp_path, b"M\xe4nner 1 2\nman 3 4\n") == {"\u2581man": [3, 4]}


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("man 1 2\ncat 1 2 3\n", r"vectors.txt:2: this vector has 3 numbers.*embedding_size is 2"),
        ("2 3\nman 1 2 3\n", r"vectors.txt:2: .*set model.embedding_size=3"),
        ("man 1 2\n\ncat 1\n", r"vectors.txt:3: this vector has 1 numbers"),
        ("man 1 x\n", r"vectors.txt:1: 'x' is no number"),
        ("man 1 nan\n", r"vectors.txt:1: 'nan' is no number"),
    ],
)
def test_what_does_not_fit_is_named_with_its_line(tmp_path: Path, content: str, says: str) -> None:
    with pytest.raises(UserError, match=says):
        read(tmp_path, content)


@pytest.mark.parametrize("cut", [5, 25])
def test_a_torn_or_missing_file_is_named(tmp_path: Path, cut: int) -> None:
    path = tmp_path / "v.txt.gz"
    with pytest.raises(UserError, match=r"v\.txt\.gz cannot be read"):
        read_vectors(path, PIECES, 2)
    path.write_bytes(gzip.compress(b"man 1 2\ncat 0.333 0.2377\n" * 3)[:cut])
    with pytest.raises(UserError, match=r"v\.txt\.gz cannot be read"):
        read_vectors(path, PIECES, 2)
