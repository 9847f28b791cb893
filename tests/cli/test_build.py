"""What only the vocabularies can tell of a configuration."""

from __future__ import annotations

from pathlib import Path

import pytest

from s2s_lit.cli.build import Experiment
from s2s_lit.cli.compose import compose
from s2s_lit.errors import UserError
from s2s_lit.text.codec import CodecPair
from s2s_lit.text.words import Words

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def test_copying_needs_one_vocabulary_not_two_of_one_size() -> None:
    experiment = Experiment(compose("copy", "builtin", [], EXPERIMENTS))
    separate = Words(joint=False).train([("a dog", "ein hund")])
    assert len(separate.source) == len(separate.target)
    with pytest.raises(UserError, match=r"model\.output copies.*data\.codec\.joint"):
        experiment.make_task(separate)
    experiment.make_task(CodecPair(separate.source, separate.source))
