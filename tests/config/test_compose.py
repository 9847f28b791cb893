"""Composition: what wins, what is refused and how."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from s2s_lit.config.compose import compose, from_yaml, to_yaml
from s2s_lit.errors import UserError

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def composed(*overrides: str, experiment: str = "bilstm_attn", dataset: str = "builtin") -> dict:
    return yaml.safe_load(to_yaml(compose(experiment, dataset, overrides, EXPERIMENTS)))


def test_the_later_wins() -> None:
    base = composed(experiment="lstm")["model"]["init_args"]
    ours = composed()["model"]["init_args"]
    changed = composed("--model.encoder.recurrence=GRU", "--model.encoder.recurrence.hidden_size=7")
    assert not base["encoder"]["init_args"]["bidirectional"]
    assert ours["encoder"]["init_args"]["bidirectional"]
    recurrence = changed["model"]["init_args"]["encoder"]["init_args"]["recurrence"]
    assert recurrence["class_path"].endswith(".GRU")
    assert recurrence["init_args"]["hidden_size"] == 7


def test_a_part_is_taken_out_from_the_command_line() -> None:
    for words in (["--model.decoder.attention=null"], ["--model.decoder.attention", "null"]):
        assert composed(*words)["model"]["init_args"]["decoder"]["init_args"]["attention"] is None
    config = compose("bilstm_attn", "builtin", [], EXPERIMENTS)
    changed = from_yaml(to_yaml(config), ["--model.decoder.attention=null", "--seed=3"])
    assert changed.model.init_args.decoder.init_args.attention is None
    assert changed.seed == 3


def test_what_is_set_after_it_was_taken_out_is_there() -> None:
    out = "--model.decoder.attention=null"
    for words in ([out, "--model.decoder.attention=DotAttention"], [out, "--model.decoder.attention", "DotAttention"]):
        attention = composed(*words)["model"]["init_args"]["decoder"]["init_args"]["attention"]
        assert attention["class_path"].endswith(".DotAttention")
    assert (
        composed("--trainer.gradient_clip_val=null", "--trainer.gradient_clip_val=2")["trainer"]["gradient_clip_val"]
        == 2
    )
    assert (
        composed("--trainer.gradient_clip_val=2", "--trainer.gradient_clip_val=null")["trainer"]["gradient_clip_val"]
        is None
    )


def test_what_is_written_is_read_again() -> None:
    config = compose("bilstm_attn", "builtin", ["--trainer.max_epochs=9", "--seed=5"], EXPERIMENTS)
    again = from_yaml(to_yaml(config))
    assert to_yaml(again) == to_yaml(config)
    assert again.trainer.max_epochs == 9
    assert from_yaml(to_yaml(config), ["--trainer.max_epochs=2"]).trainer.max_epochs == 2


def test_the_seed_is_the_datas_too() -> None:
    from s2s_lit.config.build import Experiment

    experiment = Experiment(compose("lstm", "builtin", ["--seed=7"], EXPERIMENTS))
    assert experiment.data.seed == 7


@pytest.mark.parametrize(
    ("override", "parts"),
    [
        ("--trainer.max_epoch=3", ["trainer.max_epoch", "command line", "trainer.max_epochs?"]),
        ("--modle.x=3", ["modle.x", "model?"]),
        ("--model.decoder.atention=null", ["model.decoder.atention", "model.decoder.attention?"]),
        ("--model.decoder.bridge=null", ["model.decoder.bridge", "command line"]),
        (
            "--model.encoder.recurrence.hiden_size=3",
            ["model.encoder.recurrence.hiden_size", "LSTM", "model.encoder.recurrence.hidden_size?"],
        ),
        (
            "--model.decoder.attention.atention_size=3",
            ["model.decoder.attention.atention_size", "model.decoder.attention.attention_size?"],
        ),
        ("--task.search.beamsize=3", ["task.search.beamsize", "task.search.beam_size?"]),
        ("--epochs=3", ["epochs", "trainer.max_epochs?"]),
        ("--data.batchr.size=3", ["data.batchr.size", "data.batcher?"]),
        ("--trainer.max_epochs=many", ["trainer.max_epochs", "int", "'many'", "command line"]),
        ("--model.encoder.recurrence.hidden_size=x", ["model.encoder.recurrence.hidden_size", "int", "'x'"]),
        ("--model.tie=al", ["model.tie", "'none', 'output', 'embeddings', 'all'", "'al'"]),
        ("--model.encoder.recurrence=LSTMM", ["model.encoder.recurrence", "LSTMM", "LSTM?"]),
        ("--model.decoder.attention.class_path=Additiv", ["model.decoder.attention", "AdditiveAttention?"]),
        ("--data.corpus.data_dir=/x", ["data.corpus.data_dir", "BuiltinCorpus"]),
    ],
)
def test_a_mistake_is_one_sentence_that_names_key_place_and_remedy(override: str, parts: list[str]) -> None:
    with pytest.raises(UserError) as caught:
        composed(override)
    message = str(caught.value)
    assert "\n" not in message
    assert all(part in message for part in parts), message


def test_no_class_is_offered_that_cannot_be_used() -> None:
    with pytest.raises(UserError) as caught:
        composed("--model.decoder.attention=ContentAttentions")
    assert "did you mean ContentAttention?" not in str(caught.value)
    with pytest.raises(
        UserError, match=r"^model\.decoder\.attention: ContentAttention is what such parts have in common"
    ):
        composed("--model.decoder.attention=ContentAttention")


def test_a_mistake_in_a_file_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("model: {init_args: {encoder: {init_args: {recurrence: {init_args: {hiden_size: 3}}}}}}\n")
    with pytest.raises(UserError, match=rf"hiden_size of LSTM, in {file}; did you mean .*hidden_size\?"):
        composed(f"--config={file}")


def test_an_unknown_experiment_or_data_set_names_the_nearest() -> None:
    with pytest.raises(UserError, match=r"did you mean EXP=bilstm_attn\?"):
        composed(experiment="bilstm_atn")
    with pytest.raises(UserError, match=r"did you mean DATA=multi30k\?"):
        composed(dataset="multi3k")


def test_outside_a_project_the_remedy_is_named(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="run this in the project's folder"):
        compose("lstm", "builtin", [], tmp_path)
