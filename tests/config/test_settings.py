"""The settings of parts, as a configuration and the list of parts see them."""

from __future__ import annotations

import inspect
from argparse import ArgumentError

import pytest
from jsonargparse import ArgumentParser

from s2s_lit.config.catalogue import shelf
from s2s_lit.config.settings import settings
from s2s_lit.decoding.diverse import DiverseBeamSearch
from s2s_lit.nn.cell_recurrences import LayerNormLSTM

PARTS = sorted({cls for classes in shelf().values() for cls in classes}, key=lambda cls: cls.__name__)


@pytest.mark.parametrize("cls", PARTS, ids=lambda cls: cls.__name__)
def test_every_number_is_typed_for_the_configuration(cls: type) -> None:
    """Inherited settings too: a type that the configuration cannot read would let anything pass."""
    parser = ArgumentParser(exit_on_error=False)
    parser.add_class_arguments(cls, "part", fail_untyped=False)
    numbers = [p.name for p in inspect.signature(cls).parameters.values() if type(p.default) in (int, float, bool)]
    for name in numbers:
        with pytest.raises(ArgumentError, match=f'Parser key "part.{name}"'):
            parser.parse_args([f"--part.{name}=nonsense"])


def test_inherited_settings_are_told_after_ones_own() -> None:
    told = [setting.name for setting in settings(DiverseBeamSearch)]
    assert told[:3] == ["groups", "diversity_strength", "beam_size"]
    assert told[-1] == "no_repeat_ngram"
    told = [setting.name for setting in settings(LayerNormLSTM)]
    assert told[:2] == ["recurrent_dropout", "zoneout"]
    assert told[-1] == "forget_bias"


def test_the_nearest_explanation_and_default_are_told() -> None:
    size = next(setting for setting in settings(DiverseBeamSearch) if setting.name == "beam_size")
    assert size.default == "6"
    assert size.meaning == "Open hypotheses of a sentence, all groups together."
