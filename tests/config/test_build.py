"""What only the vocabularies can tell of a configuration."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from s2s_lit.config.build import Experiment
from s2s_lit.config.compose import compose
from s2s_lit.errors import UserError
from s2s_lit.text.words import Words
from s2s_lit.training.trainer import make_trainer

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def with_words(experiment: Experiment, *, shared: bool = True) -> Experiment:
    """The experiment with tokenizers of words for its fields, one for all or one each."""
    texts = {"source": "a dog", "target": "ein hund"}
    together = Words().train(list(texts.values()))
    for name, field in experiment.data.fields.text_fields.items():
        field.tokenizer = together if shared else Words().train([texts[name]])
    return experiment


def test_copying_needs_one_vocabulary_not_two_of_one_size() -> None:
    experiment = Experiment(compose("copy", "builtin", [], EXPERIMENTS))
    with_words(experiment, shared=False)
    assert experiment.data.fields["source"].size == experiment.data.fields["target"].size
    with pytest.raises(UserError, match=r"model\.output copies.*data\.tokenizer"):
        experiment.make_task()
    with_words(experiment, shared=True)
    experiment.make_task()


def test_a_model_needs_the_fields_that_it_reads() -> None:
    only_target = "--data.fields={target: {class_path: TextField}}"
    experiment = with_words(Experiment(compose("lstm", "builtin", [only_target], EXPERIMENTS)))
    with pytest.raises(UserError, match=r"the model reads source, but data\.fields has target: add source"):
        experiment.make_task()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--model.decoder.bridge=LastStateBridge", "--model.decoder.recurrence.hidden_size=7"], "ProjectedBridge"),
        (["--model.decoder.attention=DotAttention", "--model.decoder.recurrence.hidden_size=7"], "GeneralAttention"),
        (["--model.output=PointerOutput", "--model.decoder.attention=null"], "set model.decoder.attention"),
        (
            ["--data.tokenizer.sampling=SubwordRegularization", "--data.tokenizer.sampling.alpha=-1"],
            "sampling.alpha",
        ),
        (["--task.search.n_best=9"], "n_best must lie between"),
        (["--model.embedding_size=-3"], r"model\.embedding_size must be at least 1, not -3"),
        (["--model.decoder.attention.attention_size=0"], "attention_size must be at least 1, not 0"),
        (["--model.decoder.feature_size=0"], "feature_size must be at least 1, not 0"),
        (
            ["--model.decoder=InputFeedingDecoder", "--model.decoder.feature_size=-1"],
            "feature_size must be at least 1, not -1",
        ),
        (
            ["--model.decoder=ConditionalGRUDecoder", "--model.decoder.feature_size=0"],
            "feature_size must be at least 1",
        ),
        (
            ["--model.decoder.attention=CoverageAttention", "--model.decoder.attention.attention_size=0"],
            "attention_size must be at least 1, not 0",
        ),
        (
            ["--model.decoder.attention=LocationAttention", "--model.decoder.attention.filters=0"],
            "filters must be at least 1, not 0",
        ),
        (
            ["--model.decoder.attention=LocationAttention", "--model.decoder.attention.filter_width=-1"],
            "filter_width must be at least 1, not -1",
        ),
    ],
)
def test_what_a_constructor_objects_to_is_one_message(words: list[str], says: str) -> None:
    """Late parts and early ones, and optional ones, whose errors jsonargparse wraps."""
    with pytest.raises(UserError, match=says) as caught:
        with_words(Experiment(compose("bilstm_attn", "builtin", words, EXPERIMENTS))).make_task()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("setting", "says"),
    [
        ("gradient_clip_val=-1", r"trainer\.gradient_clip_val must be at least 0, not -1"),
        ("accumulate_grad_batches=0", r"trainer\.accumulate_grad_batches must be at least 1, not 0"),
        ("check_val_every_n_epoch=0", r"trainer\.check_val_every_n_epoch must be at least 1, not 0"),
        ("max_epochs=-3", "trainer: `max_epochs` must be"),
        ("limit_train_batches=-1", "trainer: .*limit_train_batches"),
        ("accelerator=gpus", "trainer: .*accelerator='gpus'"),
    ],
)
def test_what_the_trainer_cannot_do_is_one_message(setting: str, says: str) -> None:
    experiment = Experiment(compose("bilstm_attn", "builtin", [f"--trainer.{setting}"], EXPERIMENTS))
    with pytest.raises(UserError, match=says) as caught:
        make_trainer(experiment, cast(Any, SimpleNamespace(run_dir=Path())), [])
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", ["replace_unknown", "search.coverage_penalty", "validation_search.coverage_penalty"])
def test_what_needs_an_attention_is_refused_before_training(key: str) -> None:
    words = ["--task.validation_search=BeamSearch", f"--task.{key}={'true' if key == 'replace_unknown' else 0.2}"]
    with_words(Experiment(compose("bilstm_attn", "builtin", words, EXPERIMENTS)), shared=False).make_task()
    experiment = with_words(Experiment(compose("bilstm", "builtin", words, EXPERIMENTS)), shared=False)
    with pytest.raises(UserError, match=rf"task\.{key} needs an attention"):
        experiment.make_task()
