"""sacrebleu's private names that the adapter uses: a new version of sacrebleu must be looked at here first."""

from __future__ import annotations

import inspect
from importlib.metadata import version
from pathlib import Path

import pytest
import sacrebleu.significance
from sacrebleu.metrics.bleu import BLEU
from sacrebleu.metrics.chrf import CHRF
from sacrebleu.metrics.ter import TER

import s2s_lit

PACKAGE = Path(s2s_lit.__file__).parent
NAMES = ("_extract_corpus_statistics", "_compute_score_from_stats", "_aggregate_and_compute")


def test_the_version_is_the_one_whose_private_names_are_known() -> None:
    assert version("sacrebleu").startswith("2.6.")


@pytest.mark.parametrize("metric", [BLEU, CHRF, TER])
@pytest.mark.parametrize(("name", "parameters"), zip(NAMES, (2, 1, 1), strict=True))
def test_a_metric_has_each_name(metric: type, name: str, parameters: int) -> None:
    assert len(inspect.signature(getattr(metric(), name)).parameters) == parameters


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("_compute_p_value", ["stats", "real_difference"]),
        ("estimate_ci", ["scores"]),
        ("PairedTest", ["named_systems", "metrics", "references", "test_type", "n_samples"]),
    ],
)
def test_its_tests_of_significance_have_each_name(name: str, parameters: list[str]) -> None:
    found = list(inspect.signature(getattr(sacrebleu.significance, name)).parameters)
    assert found[: len(parameters)] == parameters


def test_the_adapter_alone_reaches_them() -> None:
    private = (*NAMES, "sacrebleu.significance")
    reaching = {file.name for file in PACKAGE.rglob("*.py") if any(name in file.read_text() for name in private)}
    assert reaching == {"sacrebleu_adapter.py"}
