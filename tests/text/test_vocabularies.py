from __future__ import annotations

import logging
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2s_lit.errors import UserError
from s2s_lit.text.characters import Characters
from s2s_lit.text.counted import CountedTokenizerBuilder
from s2s_lit.text.vocabularies import DynamicVocabulary, FixedVocabulary, SparseVocabulary, TokenCounts, VocabularyRule
from s2s_lit.text.vocabulary import SPECIALS
from s2s_lit.text.words import Words
from s2s_lit.types import UNK
from support.parts import concrete_subclasses

TEXT = "a a a a a b b b c c d"
TEXTS = [TEXT]
BUILDERS = concrete_subclasses(CountedTokenizerBuilder, "s2s_lit.text")  # type: ignore[type-abstract]


def counted(text: str, capacity: int = 100) -> TokenCounts:
    counts = TokenCounts(capacity=capacity)
    counts.count(text.split())
    return counts


def listed(tmp_path: Path, content: str | bytes) -> FixedVocabulary:
    path = tmp_path / "list.txt"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return FixedVocabulary(path=path)


@pytest.mark.parametrize(
    ("rule", "tokens"),
    [
        (DynamicVocabulary(), "a b c d"),
        (DynamicVocabulary(max_size=6), "a b"),
        (DynamicVocabulary(max_size=None), "a b c d"),
        (SparseVocabulary(), "a b c"),
        (SparseVocabulary(min_count=3), "a b"),
        (SparseVocabulary(min_count=1, top_k=3), "a b c"),
        (SparseVocabulary(min_count=3, top_k=1), "a"),
    ],
)
def test_rules_keep_the_frequent_tokens_in_their_order(rule: VocabularyRule, tokens: str) -> None:
    assert rule.choose(counted(TEXT)).tokens == (*SPECIALS, *tokens.split())


@pytest.mark.parametrize("rule", [DynamicVocabulary(), SparseVocabulary(min_count=1)])
def test_ties_stand_by_spelling_and_a_special_in_the_text_is_no_second_token(rule: VocabularyRule) -> None:
    assert rule.choose(counted("</s> b a <unk> </s>")).tokens == (*SPECIALS, "a", "b")


def test_a_bound_that_no_token_reaches_is_said() -> None:
    with pytest.raises(UserError, match=r"min_count.*6 times .*5 times"):
        SparseVocabulary(min_count=6).choose(counted(TEXT))


def test_more_than_there_is_is_capped_with_a_message(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert len(SparseVocabulary(min_count=2, top_k=50).choose(counted(TEXT))) == 7
    assert "50 tokens are more" in caplog.text
    assert "the vocabulary has 3" in caplog.text
    caplog.clear()
    SparseVocabulary(min_count=2, top_k=3).choose(counted(TEXT))
    assert not caplog.text


@pytest.mark.parametrize("settings", [{"min_count": 0}, {"top_k": 0}])
def test_sparse_settings_that_mean_nothing_are_refused(settings: dict[str, int]) -> None:
    with pytest.raises(UserError, match="at least 1"):
        SparseVocabulary(**settings)


def test_a_bound_without_room_is_refused() -> None:
    with pytest.raises(UserError, match="max_size"):
        DynamicVocabulary(max_size=4)


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=9), max_size=20), st.integers(8, 12))
def test_counting_within_its_capacity_is_exact(texts: list[list[str]], capacity: int) -> None:
    counts = TokenCounts(capacity=capacity)
    for text in texts:
        counts.count(text)
    together = "".join("".join(text) for text in texts)
    assert dict(counts) == {token: together.count(token) for token in set(together)}


@given(st.lists(st.integers(0, 60).map(str), min_size=1, max_size=300))
def test_counting_is_bounded_and_never_counts_too_much(tokens: list[str]) -> None:
    counts = TokenCounts(capacity=10)
    for token in tokens:
        counts.count([token])
        assert len(counts) <= 10
    assert all(count <= tokens.count(token) for token, count in counts.items())


def test_the_half_that_was_seen_least_is_forgotten() -> None:
    counts = TokenCounts(capacity=4)
    counts.count("a a a c c b b d".split())
    assert len(counts) == 4
    counts.count(["e"])
    assert counts == {"a": 3, "b": 2}


def test_what_is_frequent_outlives_any_number_of_rare_tokens(caplog: pytest.LogCaptureFixture) -> None:
    counts = TokenCounts(capacity=10)
    for number in range(1000):
        counts.count(["often", f"rare{number}"])
    assert counts["often"] == 1000
    assert SparseVocabulary(min_count=10).choose(counts).tokens[4:] == ("often",)
    assert "forgotten" in caplog.text


# Given lists


def test_a_list_gives_the_ids_of_its_order_whatever_the_text(tmp_path: Path) -> None:
    rule = listed(tmp_path, "\ufeffdog\r\n<unk>\n\nzebra\nMa\u0308dchen\n")
    assert rule.choose(counted(TEXT)).tokens == (*SPECIALS, "dog", "zebra", "Mädchen")


def test_a_counted_list_is_put_in_order(tmp_path: Path) -> None:
    assert listed(tmp_path, "b\t2\na\t2\nc\t30\n").choose(TokenCounts()).tokens == (*SPECIALS, "c", "b", "a")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("a\nb\nc\na\n", r"list.txt:4: 'a' stands in line 1"),
        ("u\u0308\n\u00fc\n", r"list.txt:2: .* stands in line 1"),
        ("a\nMädchen\n".encode("latin-1"), r"list.txt:2: this is not UTF-8"),
        ("a\t3\nb\tmany\n", r"list.txt:2: .*count, not 'many'"),
        ("a\t3\nb\t-1\n", r"list.txt:2: .*count"),
        ("\n\n", "has no token"),
    ],
)
def test_a_list_that_is_none_is_named_with_its_line(tmp_path: Path, content: str | bytes, says: str) -> None:
    with pytest.raises(UserError, match=says):
        listed(tmp_path, content).choose(TokenCounts())


def test_a_list_without_a_file_is_known_when_it_is_read(tmp_path: Path) -> None:
    builder = Words(vocabulary=FixedVocabulary(path=tmp_path / "none.txt"))  # a loaded run needs it no more
    with pytest.raises(UserError, match=r"none.txt cannot be read \(data.tokenizer.vocabulary.path\): No such file"):
        builder.build(TEXTS)


def test_another_content_of_the_list_builds_anew(tmp_path: Path) -> None:
    builder = Words(vocabulary=listed(tmp_path, "a\n"))
    assert builder.build(TEXTS).tokens[4:] == ("a",)
    listed(tmp_path, "b\n")
    assert builder.build(TEXTS).tokens[4:] == ("b",)


def test_the_vocabulary_of_a_run_is_a_list_that_gives_the_same_tokenizer(tmp_path: Path) -> None:
    tokenizer = Words().build(TEXTS)
    rule = listed(tmp_path, "\n".join(tokenizer.tokens) + "\n")
    assert Words(vocabulary=rule).build(["x"]).tokens == tokenizer.tokens


# In the builders


@pytest.mark.parametrize("builder", BUILDERS)
def test_each_builder_has_its_own_rule(builder: type[CountedTokenizerBuilder]) -> None:
    tokenizers = [builder(vocabulary=SparseVocabulary(min_count=1, top_k=size)).build(TEXTS) for size in (1, 3)]
    assert list(map(len, tokenizers)) == [5, 7]
    assert builder().build(TEXTS).tokens[: 4 + 1] == (*SPECIALS, "▁" if builder is Characters else "a")


@pytest.mark.parametrize("rule", concrete_subclasses(VocabularyRule, "s2s_lit.text"))
def test_each_argument_of_a_rule_is_in_the_cache_key(rule: type[VocabularyRule]) -> None:
    arguments = [{"path": Path("a")}, {"path": Path("b")}] if rule is FixedVocabulary else [{}]
    arguments += [{"max_size": 9}] if rule is DynamicVocabulary else []
    arguments += [{"min_count": 9}, {"top_k": 9}] if rule is SparseVocabulary else []
    names = {repr(rule(**settings)) for settings in arguments}
    assert len(names) == len(arguments) > 1
    assert all(repr(rule(**settings)) in names for settings in arguments)  # no addresses


def test_pruned_tokens_are_unknown() -> None:
    tokenizer = Words(vocabulary=SparseVocabulary(min_count=3)).build(TEXTS)
    assert tokenizer.encode("a d b c") == [4, UNK, 5, UNK]
