"""The catalogue of parts."""

from __future__ import annotations

from pathlib import Path

import pytest

import s2s_lit.losses
from s2s_lit.config.catalogue import shelf


@pytest.mark.parametrize("content", ["import no_such_module", "1 / 0", "def broken(:", "raise SystemError('odd')"])
def test_a_file_that_cannot_be_imported_is_told_and_the_others_are_listed(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    whole = shelf()
    (tmp_path / "mine.py").write_text(content)
    monkeypatch.setattr(s2s_lit.losses, "__path__", [*s2s_lit.losses.__path__, str(tmp_path)])
    monkeypatch.setattr("s2s_lit.config.catalogue._told", set())
    assert shelf() == whole
    assert shelf() == whole
    assert capsys.readouterr().err.count("s2s_lit.losses.mine cannot be imported, its parts are left out") == 1
