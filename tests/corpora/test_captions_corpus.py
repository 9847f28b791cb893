"""The corpus as a data set: reproducible, sharded, disjoint, of bounded length, a function of the English."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
from collections import Counter
from itertools import islice

import pytest

from s2s_lit.corpora.captions.generate import LENGTHS, SPLITS, generate
from s2s_lit.corpora.captions.lexicon.tables import load
from s2s_lit.errors import UserError


@pytest.fixture(scope="module")
def corpus() -> dict[str, list[dict[str, str]]]:
    return {split: list(generate(split)) for split in SPLITS}


def test_sizes_and_keys(corpus):
    assert {split: len(rows) for split, rows in corpus.items()} == SPLITS
    assert all(set(row) == {"en", "de"} for rows in corpus.values() for row in rows)


def test_each_byte_is_as_it_always_was(corpus):
    """Scores are compared over versions, so that a change of the corpus must be meant."""
    text = "".join(f"{row['en']}\t{row['de']}\n" for split in SPLITS for row in corpus[split])
    digest = "ab5e406cac0cb1f8dfef0065500f3c0e93d3b6b5f94cff6536c074caafe53f8f"
    assert hashlib.sha256(text.encode()).hexdigest() == digest


def test_lengths_hold_exactly_and_the_long_split_is_longer_than_training(corpus):
    lengths = {split: [len(row["en"].split()) for row in rows] for split, rows in corpus.items()}
    for split, found in lengths.items():
        assert min(found) >= LENGTHS[split][0]
        assert max(found) <= LENGTHS[split][1]
    assert max(lengths["train"]) < min(lengths["test_long"])
    assert min(lengths["train"]) == 3
    assert 9 <= sum(lengths["train"]) / len(lengths["train"]) <= 12


def test_splits_share_no_sentence(corpus):
    seen: Counter[str] = Counter()
    for rows in corpus.values():
        seen.update({row["en"] for row in rows})
    assert [sentence for sentence, count in seen.items() if count > 1] == []


def test_splits_are_disjoint_over_seeds():
    other = {row["en"] for row in generate("test", seed=2, rows=200)}
    assert other.isdisjoint(row["en"] for row in generate("train", seed=3, rows=3000))


def test_few_sentences_repeat(corpus):
    sentences = [row["en"] for row in corpus["train"]]
    assert len(set(sentences)) >= 0.98 * len(sentences)


def test_english_determines_german(corpus):
    german: dict[str, str] = {}
    for rows in corpus.values():
        for row in rows:
            assert german.setdefault(row["en"], row["de"]) == row["de"], row["en"]


def test_rows_repeat_with_the_seed_and_change_with_another():
    first, again = (list(generate("train", seed=5, rows=100)) for _ in range(2))
    assert first == again
    assert first != list(generate("train", seed=6, rows=100))


def test_rows_do_not_depend_on_hash_randomization():
    program = "from s2s_lit.corpora.captions.generate import generate; print(list(generate('train', rows=40)))"
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("1", "77")
    }
    assert len(outputs) == 1
    assert outputs.pop().strip() == str(list(generate("train", rows=40)))


@pytest.mark.parametrize("num_shards", [1, 2, 3, 7, 64])
def test_shards_are_disjoint_and_complete(num_shards):
    whole = list(generate("validation", rows=50))
    shards = [list(generate("validation", rows=50, shard=s, num_shards=num_shards)) for s in range(num_shards)]
    dealt = [shard[position] for position in range(50) for shard in shards if position < len(shard)]
    assert dealt == whole


def test_more_rows_extend_fewer_and_are_never_all_held():
    stream = generate("train", rows=10_000_000)
    assert list(islice(stream, 20)) == list(generate("train", rows=20))


def test_unknown_split_and_shard_are_named():
    with pytest.raises(UserError, match=r"no split 'dev'.*validation"):
        generate("dev")
    with pytest.raises(UserError, match="shard"):
        generate("train", shard=2, num_shards=2)


def test_sentences_are_cased_and_punctuated(corpus):
    for rows in corpus.values():
        for row in rows:
            for text in row.values():
                assert re.fullmatch(r"[A-ZÄÖÜ][^.?]*[.?]", text), text
                assert "  " not in text
                assert ",," not in text
                assert " ," not in text
            assert row["en"][-1] == row["de"][-1]


def test_every_open_class_entry_is_met_often_in_training(corpus):
    english = Counter(
        re.sub(r"'s?(?=\s|[.?])|[.?,]", "", " ".join(row["en"].lower() for row in corpus["train"])).split()
    )
    lexicon = load()
    counts = {
        adjective.en: english[adjective.en] + english[adjective.comparative_en] for adjective in lexicon.adjectives
    }
    single = [noun for noun in lexicon.nouns if " " not in noun.en]
    counts |= {noun.en: english[noun.en] + (english[noun.en_plural] if noun.de_plural else 0) for noun in single}
    for verb in lexicon.verbs:
        if verb.frame != "copula":
            forms = {verb.en, verb.en_third, verb.en_ing, verb.en_past, verb.en_participle}
            counts[verb.en] = sum(english[form] for form in {form.split()[0] for form in forms})
    assert {entry: count for entry, count in counts.items() if count < 20} == {}
