"""The list of parts."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

from s2s_lit.__main__ import main
from s2s_lit.config.catalogue import shelf
from s2s_lit.config.experiments import first_comment

EXPERIMENTS = Path(__file__).parents[2] / "experiments"


def test_all_experiments_are_listed_with_what_they_are(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(EXPERIMENTS.parent)
    assert main(["experiments"]) == 0
    listed = capsys.readouterr().out
    for file in [*EXPERIMENTS.glob("*.yaml"), *EXPERIMENTS.glob("data/*.yaml")]:
        assert (f" {file.stem} " in listed) == (file.stem != "base")
        assert first_comment(file)[:30] in listed or file.stem == "base"


def test_elsewhere_there_are_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["experiments"]) == 2
    assert "project's folder" in capsys.readouterr().err


def test_all_parts_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parts"]) == 0
    listed = capsys.readouterr().out
    found = shelf()
    assert all(found.values()), "every kind has a part"
    assert not [cls.__name__ for classes in found.values() for cls in classes if cls.__name__ not in listed]


def test_one_kind_has_its_own_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parts", "attention"]) == 0
    listed = capsys.readouterr().out
    assert "AdditiveAttention" in listed
    assert "BeamSearch" not in listed


def test_one_part_tells_its_settings(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parts", "RecurrentDecoder"]) == 0
    told = capsys.readouterr().out
    assert "[s_t; c_t]" in told  # brackets are no markup
    for setting in ("recurrence", "attention", "bridge", "feature_size", "dropout"):
        assert setting in told


def test_every_setting_of_every_part_is_told_with_its_meaning(capsys: pytest.CaptureFixture[str]) -> None:
    for cls in {cls for classes in shelf().values() for cls in classes}:
        assert main(["parts", cls.__name__]) == 0
        told = capsys.readouterr().out
        for parameter in inspect.signature(cls).parameters.values():
            if parameter.kind is parameter.KEYWORD_ONLY:
                assert re.search(rf"│ {parameter.name} +│ [^ │]", told), (cls, parameter.name)


def test_a_wrong_name_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parts", "AditiveAttention"]) == 2
    assert "did you mean AdditiveAttention?" in capsys.readouterr().err
