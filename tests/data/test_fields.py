"""Named fields: which tokenizer each has, how raw values become examples, what lies in a checkpoint."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from s2s_lit.data.fields.fields import Fields
from s2s_lit.data.fields.text import TextField
from s2s_lit.errors import UserError
from s2s_lit.text.characters import Characters
from s2s_lit.text.normalize import Form
from s2s_lit.text.sampling import SubwordRegularization
from s2s_lit.text.sentencepiece import SentencePiece
from s2s_lit.text.sentencepiece_file import SentencePieceFile
from s2s_lit.text.symbols import Symbols
from s2s_lit.text.tokenizer import Tokenizer
from s2s_lit.text.words import Words
from s2s_lit.types import EOS, UNK
from support.saving import saved

ROWS = [{"source": f"cab {i % 3}", "target": f"K AE1 B {i % 5}"} for i in range(40)]


def shared(*names: str, form: Form = "NFC") -> Fields:
    fields = {name: TextField(unicode_form=form) for name in names or ("source", "target")}
    return Fields(fields, tokenizer=Words())


def phonemes() -> Fields:
    """Letters on one side, phones on the other."""
    return Fields({"source": TextField(tokenizer=Characters()), "target": TextField(tokenizer=Symbols())})


def built(fields: Fields, rows: list[dict[str, str]] | None = None) -> Fields:
    fields.build(rows or ROWS)
    return fields


def tokens(tokenizer: Tokenizer) -> list[str]:
    return list(tokenizer.tokens)[4:]


# Tokenizers


def test_fields_without_a_tokenizer_of_their_own_share_one() -> None:
    fields = built(shared())
    assert fields.text_fields["source"].tokenizer is fields.target.tokenizer
    assert fields.shares_tokenizer("source")
    assert set(tokens(fields.target.tokenizer)) == {"cab", "K", "AE1", "B", *"01234"}
    assert fields.sizes == {"source": 4 + 9, "target": 4 + 9}


def test_fields_with_tokenizers_of_their_own_know_their_own_text_only() -> None:
    fields = built(phonemes())
    assert not fields.shares_tokenizer("source")
    assert set(tokens(fields.text_fields["source"].tokenizer)) == set("cab▁012")
    assert set(tokens(fields.target.tokenizer)) == set("K AE1 B 0 1 2 3 4".split())
    (example,) = fields.encode([{"source": "cab", "target": "K AE1 B"}])
    assert fields["source"].names(example.inputs["source"]) == ["c", "a", "b", "</s>"]
    assert fields.target.names(example.target) == ["K", "AE1", "B"]


def test_some_share_and_one_has_its_own() -> None:
    fields = Fields(
        {"question": TextField(), "tags": TextField(tokenizer=Symbols()), "target": TextField()}, tokenizer=Words()
    )
    built(fields, [{"question": "who?", "tags": "WP .", "target": "me!"}])
    assert fields.shares_tokenizer("question")
    assert not fields.shares_tokenizer("tags")
    assert not fields.shares_tokenizer("nothing")
    assert set(tokens(fields.target.tokenizer)) == {"who", "￭?", "me", "￭!"}
    assert tokens(fields.text_fields["tags"].tokenizer) == [".", "WP"]


def test_each_builder_sees_its_sample_of_the_rows() -> None:
    fields = Fields(
        {"source": TextField(tokenizer=Words(sample_rows=1)), "target": TextField()}, tokenizer=Words(sample_rows=2)
    )
    built(fields, [{"source": text, "target": text} for text in "abc"])
    assert tokens(fields.text_fields["source"].tokenizer) == ["a"]
    assert tokens(fields.target.tokenizer) == ["a", "b"]


def test_no_more_rows_are_read_than_are_looked_at(tmp_path: Path) -> None:
    def rows() -> Any:
        yield from ROWS[:2]
        pytest.fail("a third row was read")

    Fields({"target": TextField(tokenizer=Symbols(sample_rows=2))}).build(rows())
    file = tmp_path / "a.model"
    model: Any = SentencePiece(vocab_size=15).train([row["target"] for row in ROWS])
    file.write_bytes(model.state()["model"].numpy().tobytes())
    fields = Fields({"target": TextField(tokenizer=SentencePieceFile(path=file))})
    fields.build(pytest.fail("a row was read") for _ in range(1))
    assert len(fields.target.tokenizer) == 15


def test_a_field_without_text_is_named() -> None:
    with pytest.raises(UserError, match=r"no text for source,.*data\.columns"):
        built(phonemes(), [{"source": "", "target": "K"}])
    with pytest.raises(UserError, match=r"no text for source and target,"):
        built(shared(), [{"source": "", "target": ""}])


def test_a_tokenizer_is_there_when_it_was_built() -> None:
    fields = shared()
    assert not fields.is_ready
    with pytest.raises(RuntimeError, match="no tokenizer yet"):
        _ = fields.sizes
    assert built(fields).is_ready


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"source": TextField()}, r"data\.fields needs `target`, a TextField; there are: source"),
        ({}, r"data\.fields needs `target`"),
        ({"source": TextField(), "target": TextField(tokenizer=Words())}, r"data\.fields\.source has no tokenizer: .*"),
    ],
)
def test_fields_that_cannot_be_are_refused(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError, match=message):
        Fields(fields)


def test_a_length_without_sense_is_refused() -> None:
    with pytest.raises(UserError, match="max_length must be at least 1"):
        TextField(max_length=0)


def test_fields_keep_their_order_and_the_target_is_no_input() -> None:
    fields = shared("question", "target", "passage")
    assert list(fields) == ["question", "target", "passage"]
    assert list(fields.inputs) == ["question", "passage"]
    assert list(shared("target").inputs) == []


# Checkpoints


def test_a_shared_tokenizer_is_saved_once_and_restored_shared() -> None:
    names = ("question", "target", "passage")
    fields, again = built(shared(*names), [dict.fromkeys(names, "a")]), shared(*names)
    state = saved(fields.state())
    assert len(state["tokenizers"]) == 1
    again.load_state(state)
    assert again.is_ready
    assert again.shares_tokenizer("question")
    assert again.shares_tokenizer("passage")
    assert tokens(again.target.tokenizer) == tokens(fields.target.tokenizer) == ["a"]


def test_own_tokenizers_come_back_to_their_fields() -> None:
    fields, again = built(phonemes()), phonemes()
    state = saved(fields.state())
    assert len(state["tokenizers"]) == 2
    again.load_state(state)
    assert not again.shares_tokenizer("source")
    assert again.sizes == fields.sizes
    assert again.encode(ROWS) == fields.encode(ROWS)


def test_what_samples_goes_on_sampling() -> None:
    def sampling() -> Fields:
        tokenizer = SentencePiece(vocab_size=24, sampling=SubwordRegularization())
        return Fields({"source": TextField(), "target": TextField(tokenizer=tokenizer)}, tokenizer=Words())

    fields, again = built(sampling()), sampling()
    assert not again.samples
    again.load_state(saved(fields.state()))
    for each in (fields, again):
        assert each.samples
        assert [field.samples for field in each.values()] == [False, True]
    text = "K AE1 B 3"
    assert [again.target.sample(text, seed) for seed in range(20)] == [
        fields.target.sample(text, seed) for seed in range(20)
    ]
    assert again["source"].sample("cab", 3) == again["source"].encode(["cab"])[0]


def test_the_state_of_other_fields_is_refused() -> None:
    state = built(shared()).state()
    with pytest.raises(ValueError, match="the fields source, target"):
        shared("target").load_state(state)


@pytest.mark.parametrize("name", ["os.system", "s2s_lit.text.tokenizer.TokenizerBuilder"])
def test_a_state_may_name_tokenizers_only(name: str) -> None:
    state = {"tokenizers": [{"class": name, "state": {}}], "fields": {"source": 0, "target": 0}}
    with pytest.raises(ValueError, match="not a tokenizer"):
        shared().load_state(state)


# Raw values to examples


def test_one_example_a_row_in_order_with_an_eos() -> None:
    fields = built(shared(), [{"source": "a b", "target": "c"}])
    first, empty, last = fields.encode([{"source": "b  a\n"}, {"source": ""}, {"source": "a", "target": " c"}])
    assert first.inputs["source"] == [*fields.target.tokenizer.encode("b a"), EOS]
    assert first.texts == {"source": "b a", "target": ""}
    assert empty.inputs["source"] == [EOS]
    assert [example.row for example in (first, empty, last)] == [0, 1, 2]
    assert first.target == []
    assert first.references == ("",)
    assert (last.target, last.references) == (fields.target.tokenizer.encode("c"), ("c",))
    assert fields.encode([]) == []


def test_an_example_without_an_input_is_none_all_the_same() -> None:
    fields = built(shared("target"))
    (example,) = fields.encode([{}])
    assert (example.inputs, example.target, example.lengths) == ({}, [], (1,))


@pytest.mark.parametrize("form", ["NFC", "NFKC"])
def test_the_form_of_the_text_is_the_fields(form: Form) -> None:
    (example,) = built(shared(form=form)).encode([{"source": " ﬁ"}])
    assert example.texts["source"] == ("ﬁ" if form == "NFC" else "fi")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"text": "a"}, r"^example 2 has no question; this model reads question, passage$"),
        ({"question": "a", "target": "x"}, r"^example 2 has no passage; "),
        ({"question": 3, "passage": "a"}, r"^the question of example 2 cannot be used: not_text$"),
        ({"question": "a", "passage": None}, r"^the passage of example 2 cannot be used: missing_field$"),
        ({"question": "a", "passage": "a\0"}, r"^the passage of example 2 cannot be used: nul$"),
        ({"question": "a", "passage": "b", "target": "\ud800"}, r"^the target of example 2 .*: invalid_utf8$"),
    ],
)
def test_what_cannot_be_encoded_is_named(row: dict[str, Any], message: str) -> None:
    fields = built(shared("question", "passage", "target"), [dict.fromkeys(("question", "passage", "target"), "a")])
    with pytest.raises(UserError, match=message):
        fields.encode([{"question": "a", "passage": "a"}, row])


# What the rest of the program asks


def test_positions_have_names_and_unknown_ones_are_counted() -> None:
    fields = built(shared(), [{"source": "a b", "target": "c"}])
    (positions,) = fields.target.encode(["a q c q"])
    assert positions.count(UNK) == fields.target.unknown(positions) == 2
    assert fields.target.names(positions) == ["a", "<unk>", "c", "<unk>"]


def test_blank_inputs_have_the_shape_of_real_ones() -> None:
    fields = built(shared("question", "passage", "target"), [dict.fromkeys(("question", "passage", "target"), "a")])
    blank = fields.blank_inputs(3, {"question": 2, "passage": 5})
    assert {name: tuple(each.values.shape) for name, each in blank.items()} == {"question": (3, 2), "passage": (3, 5)}
    assert all(each.mask.all() and int(each.values.max()) < fields.target.size for each in blank.values())
    idle = fields.idle_inputs()
    assert (idle.size, list(idle), idle["passage"].lengths.tolist()) == (1, ["question", "passage"], [1])
    assert (shared("target").idle_inputs().size, list(shared("target").idle_inputs())) == (1, [])


def test_the_longest_example_counts_its_mark() -> None:
    field = TextField(max_length=7)
    assert (field.max_length, field.longest) == (7, 8)


def test_storage_gives_back_what_was_put_in() -> None:
    storage, lists = TextField().storage(), [[5, 6], [], [7], [8, 9, 10]]
    for each in lists:
        storage.append(each)
    assert [storage[i] for i in range(4)] == lists
    assert [storage.length(i) for i in range(4)] == [2, 0, 1, 3]
