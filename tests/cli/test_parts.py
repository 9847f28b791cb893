"""The list of parts."""

from __future__ import annotations

import pytest

from s2s_lit.__main__ import main
from s2s_lit.cli.parts import shelf


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


def test_a_wrong_name_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["parts", "AditiveAttention"]) == 2
    assert "did you mean AdditiveAttention?" in capsys.readouterr().err
