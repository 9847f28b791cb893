"""Mixes and splits: exact, the same streaming and in memory, the same in any order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from s2s_lit.corpora.captions.source import BuiltinCorpus
from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.files import FileCorpus
from s2s_lit.data.sources.hub import HubCorpus
from s2s_lit.data.sources.mixing import MixedCorpus
from s2s_lit.data.sources.rows import SHARD_BITS, Malformed, Row, Rows
from s2s_lit.data.sources.splitting import HashSplit
from s2s_lit.errors import UserError


class GivenRows(Rows):
    def __init__(self, shards: Sequence[Sequence[Row | Malformed]]) -> None:
        self.shards = shards
        self.num_shards = len(shards)

    def numbered(self, shards: Iterable[int]) -> Iterator[tuple[int, Row | Malformed]]:
        for shard in shards:
            yield from enumerate(self.shards[shard], shard << SHARD_BITS)

    def place(self, number: int) -> str:
        return str(self.shards[number >> SHARD_BITS][number % 2**SHARD_BITS])


class Given(CorpusSource):
    """Splits of given rows."""

    def __init__(self, **splits: Sequence[Sequence[Row | Malformed]]) -> None:
        self.given = splits

    def identity(self) -> dict[str, Any]:
        return {"source": "given"}

    def splits(self, *, streaming: bool) -> Sequence[str]:
        return list(self.given)

    def split(self, name: str, *, streaming: bool) -> Rows:
        return GivenRows(self.given[name])


def part(name: str, count: int, shards: int = 1) -> Given:
    rows = [{"en": f"{name}{i}"} for i in range(count)]
    return Given(train=[rows[shard::shards] for shard in range(shards)])


def texts(source: CorpusSource, split: str = "train", streaming: bool = True) -> list[Any]:
    return [row["en"] for row in source.rows(split, streaming=streaming)]


weights = st.sampled_from([0.1, 0.3, 0.5, 1.0, 2.0, 3.5, 7.0])
mixes = st.lists(st.tuples(st.integers(1, 30), weights, st.integers(1, 3)), min_size=1, max_size=4)


@given(mixes)
def test_shares_are_exact_in_every_prefix_and_no_row_is_left_out(mix: list[tuple[int, float, int]]) -> None:
    parts: list[CorpusSource] = [part("abcd"[i], count, shards) for i, (count, _, shards) in enumerate(mix)]
    shares = [weight for _, weight, _ in mix]
    found = texts(MixedCorpus(parts=parts, weights=shares))
    seen: Counter[str] = Counter()
    for n, text in enumerate(found, 1):
        seen[text[0]] += 1
        for i, weight in enumerate(shares):
            assert abs(seen["abcd"[i]] - n * weight / sum(shares)) <= max(1, len(mix) - 1)
    each = Counter(found)
    for i, (count, _, _) in enumerate(mix):
        times = [each[f"{'abcd'[i]}{row}"] for row in range(count)]
        assert min(times) >= 1
        assert max(times) - min(times) <= 1  # none is shown twice more than another of its part
    assert any({each[f"{'abcd'[i]}{row}"] for row in range(count)} == {1} for i, (count, _, _) in enumerate(mix))
    assert texts(MixedCorpus(parts=parts, weights=shares)) == found
    assert texts(MixedCorpus(parts=parts, weights=[2 * weight for weight in shares])) == found


@given(mixes)
def test_each_row_has_a_number_and_a_place(mix: list[tuple[int, float, int]]) -> None:
    parts: list[CorpusSource] = [part("abcd"[i], count, shards) for i, (count, _, shards) in enumerate(mix)]
    rows = MixedCorpus(parts=parts, weights=[weight for _, weight, _ in mix]).rows("train", streaming=True)
    numbered = list(rows.all())
    assert [number for number, _ in numbered] == list(range(len(numbered)))
    for number, row in numbered[:: max(1, len(numbered) // 4)]:
        assert rows.place(number) == str(row)


def test_the_mix_is_the_same_streaming_and_in_memory(write: Callable[..., Path]) -> None:
    folder = write(shards=3, train=[{"en": f"a {i}", "de": "x"} for i in range(20)])
    parts: list[CorpusSource] = [
        BuiltinCorpus(train_rows=50, evaluation_rows=5, shards=4),
        HubCorpus(data_dir=folder),
        FileCorpus(files={"train": str(folder)}),
    ]
    mix = MixedCorpus(parts=parts, weights=[3, 1, 0.5])
    found = texts(mix, streaming=False)
    assert texts(mix, streaming=True) == found
    assert Counter(text.startswith("a ") for text in found)[True] == pytest.approx(len(found) / 3, abs=2)


def test_evaluation_splits_are_each_rows_once_of_the_parts_that_have_one() -> None:
    parts: list[CorpusSource] = [
        Given(train=[[{"en": "a"}]], dev=[[{"en": "b"}], [{"en": "c"}]]),
        Given(train=[[{"en": "d"}]]),
        Given(train=[[{"en": "e"}]], validation=[[{"en": "f"}]], test=[[{"en": "g"}]]),
    ]
    mix = MixedCorpus(parts=parts, weights=[1, 1, 1])
    assert texts(mix, "validation") == ["b", "c", "f"]
    assert texts(mix, "test") == ["g"]
    rows = mix.rows("validation", streaming=True)
    assert [rows.place(number) for number, _ in rows.all()] == [str(row) for row in rows]
    assert len({number for number, _ in rows.all()}) == 3
    with pytest.raises(UserError, match="no split 'test_long'"):
        mix.rows("test_long", streaming=True)


def test_a_part_without_rows_has_no_share() -> None:
    assert texts(MixedCorpus(parts=[part("a", 3), part("b", 0)], weights=[1, 5])) == ["a0", "a1", "a2"]


@pytest.mark.parametrize("wrong", [[], [1.0], [1.0, 0.0], [1.0, -1.0], [1.0, 1.0, 1.0]])
def test_weights_must_fit_the_parts(wrong: list[float]) -> None:
    with pytest.raises(UserError, match=r"weight above 0 for each part.*data\.corpus\.weights"):
        MixedCorpus(parts=[part("a", 1), part("b", 1)], weights=wrong)


sentences = st.lists(st.text("aäAÄ b", max_size=5), max_size=60)
FRACTIONS = {"validation": 0.2, "test": 0.3}


def split(rows: Sequence[Row | Malformed], seed: int = 0, fractions: dict[str, float] | None = None) -> HashSplit:
    source = Given(train=[rows[::2], rows[1::2]])
    return HashSplit(source=source, column="en", fractions=fractions or FRACTIONS, seed=seed)


@given(sentences, st.integers(0, 3), st.randoms())
def test_a_split_is_a_function_of_the_text(found: list[str], seed: int, rng: Any) -> None:
    rows = [{"en": text, "number": number} for number, text in enumerate(found)]

    def numbers(rows: list[dict[str, Any]]) -> dict[str, list[int]]:
        source = split(rows, seed)
        return {
            name: sorted(row["number"] for row in source.rows(name, streaming=True))
            for name in ("train", "validation", "test")
        }

    whole = numbers(rows)
    assert sorted(chain(*whole.values())) == list(range(len(rows)))  # each row is in one split
    shuffled = rng.sample(rows, len(rows))
    assert numbers(shuffled) == whole
    assert numbers(shuffled[::2]) == {
        name: [n for n in kept if n in {row["number"] for row in shuffled[::2]}] for name, kept in whole.items()
    }


@given(sentences, st.integers(0, 3))
def test_no_sentence_is_in_two_splits(found: list[str], seed: int) -> None:
    source = split([{"en": text} for text in found], seed)
    seen = [{" ".join(text.split()).casefold() for text in texts(source, name)} for name in ("train", *FRACTIONS)]
    assert not any(one & other for one, other in combinations(seen, 2))


def test_fractions_are_about_what_was_asked_and_differ_with_the_seed() -> None:
    rows = [{"en": f"sentence {i}"} for i in range(5000)]
    counts = {name: len(texts(split(rows), name)) for name in ("train", *FRACTIONS)}
    wanted = {"train": 0.5, **FRACTIONS}
    assert counts == {name: pytest.approx(5000 * fraction, abs=150) for name, fraction in wanted.items()}
    assert texts(split(rows, seed=1), "test") != texts(split(rows), "test")
    more = {**FRACTIONS, "later": 0.1}
    assert texts(split(rows, fractions=more), "test") == texts(split(rows), "test")


def test_malformed_rows_stay_where_they_are_counted_once() -> None:
    rows: list[Any] = [Malformed("nul"), {"en": None}, {"de": "x"}] * 9
    source = split(rows)
    assert len(list(source.rows("train", streaming=True).all())) == 27
    assert not list(source.rows("test", streaming=True).all())


def test_other_splits_stay_and_are_not_taken_twice() -> None:
    source = Given(training=[[{"en": "a"}]], test=[[{"en": "b"}]])
    taken = HashSplit(source=source, column="en", fractions={"dev": 0.5})
    assert texts(taken, "test") == ["b"]
    assert texts(taken, "train") + texts(taken, "validation") == ["a"]
    with pytest.raises(UserError, match="has a split 'test' already"):
        HashSplit(source=source, column="en", fractions={"test": 0.5}).rows("test", streaming=True)


@pytest.mark.parametrize("fractions", [{}, {"test": 1.0}, {"test": 0.0}, {"a": 0.6, "b": 0.5}, {"train": 0.5}])
def test_fractions_leave_something_to_train(fractions: dict[str, float]) -> None:
    with pytest.raises(UserError, match=r"data\.corpus\.fractions"):
        split([], fractions=fractions) if fractions else HashSplit(source=part("a", 1), column="en", fractions={})


@given(st.integers(1, 40))
def test_numbers_and_places_are_those_of_the_source(count: int) -> None:
    rows = [{"en": f"sentence {i}"} for i in range(count)]
    source = split(rows)
    assume(texts(source, "validation"))
    for number, row in source.rows("validation", streaming=True).all():
        assert source.rows("validation", streaming=True).place(number) == str(row)


def test_a_column_must_be_in_every_part() -> None:
    other = Given(train=[[{"de": "x"}]], test=[[{"de": "x"}]])
    both = Given(train=[[{"en": "a", "de": "x"}] * 300], test=[[{"en": "a", "de": "x"}] * 300])
    mix = MixedCorpus(parts=[both, other], weights=[1000, 1])
    taken = HashSplit(source=other, column="de", fractions={"validation": 0.1})
    for rows in [mix.rows(name, streaming=True) for name in ("train", "test")] + [
        taken.rows("validation", streaming=True)
    ]:
        rows.require("de")
        with pytest.raises(UserError, match="no column 'en'; it has 'de'"):
            rows.require("en")


def test_the_folder_reaches_the_corpora_within(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "train.tsv").write_text(f"en\tde\n{name}\tx\n")
    files: dict[str, str | list[str]] = {"train": "train.tsv"}
    within = HashSplit(source=FileCorpus(files=files), column="en", fractions={"test": 0.01})
    own = FileCorpus(files=files, data_dir=tmp_path / "there")
    parts: list[CorpusSource] = [within, own, BuiltinCorpus(train_rows=1, evaluation_rows=1)]
    mix = MixedCorpus(parts=parts, weights=[1, 1, 1], data_dir=tmp_path / "here")
    assert texts(mix)[:2] == ["here", "there"]
    alone = HashSplit(source=FileCorpus(files=files), column="en", fractions={"test": 0.01}, data_dir=tmp_path / "here")
    assert texts(alone) == ["here"]


def test_the_column_that_splits_is_read_too() -> None:
    source = HashSplit(source=part("a", 300), column="fr", fractions={"test": 0.5})
    with pytest.raises(UserError, match="no column 'fr'; it has 'en'"):
        source.rows("test", streaming=True).require("en")
