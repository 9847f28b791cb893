"""TMX, the translators' exchange format."""

from __future__ import annotations

from pathlib import Path

import pytest

from s2s_lit.data.sources.files import FileCorpus
from s2s_lit.data.sources.readers import tmx
from s2s_lit.data.sources.rows import Row
from s2s_lit.errors import UserError

HEAD = '<?xml version="1.0"?>\n<!DOCTYPE tmx SYSTEM "tmx14.dtd">\n<tmx version="1.4"><header srclang="en"/><body>'
UNIT = '<tu><tuv xml:lang="en-US"><seg>{}</seg></tuv><tuv xml:lang="de"><seg>{}</seg></tuv></tu>'


def read(folder: Path, content: str, encoding: str = "utf-8") -> list[Row]:
    (folder / "train.tmx").write_bytes(content.encode(encoding))
    return list(FileCorpus(files={"train": "train.tmx"}, data_dir=folder).rows("train", streaming=True))


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_units_are_rows_by_language(tmp_path: Path, encoding: str) -> None:
    content = HEAD + UNIT.format("A dog &amp; a cat.", "Ein Hünd.") * 3 + "</body></tmx>"
    row = {"en": "A dog & a cat.", "en-US": "A dog & a cat.", "de": "Ein Hünd."}
    assert read(tmp_path, content, encoding) == [row] * 3


def test_markup_of_other_programs_is_no_text(tmp_path: Path) -> None:
    content = HEAD + UNIT.format('a <bpt i="1">&lt;b&gt;</bpt>bold<ept i="1">&lt;/b&gt;</ept> <hi>dog</hi>', "x")
    assert read(tmp_path, content + "</body></tmx>")[0]["en"] == "a bold dog"


def test_two_variants_of_a_language_keep_their_whole_names(tmp_path: Path) -> None:
    content = (
        '<tu><tuv xml:lang="pt-BR"><seg>a</seg></tuv><tuv lang="pt-PT"><seg>b</seg></tuv><tuv><seg>c</seg></tuv></tu>'
    )
    assert read(tmp_path, HEAD + content + "</body></tmx>") == [{"pt-BR": "a", "pt-PT": "b"}]


BOMB = '<!DOCTYPE tmx [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>'
OUTSIDE = '<!DOCTYPE tmx [<!ENTITY a SYSTEM "file:///etc/passwd">]>'


@pytest.mark.parametrize("declared", [BOMB, OUTSIDE])
def test_entities_are_refused(tmp_path: Path, declared: str) -> None:
    with pytest.raises(UserError, match=r"train\.tmx.* cannot be read: EntitiesForbidden"):
        read(tmp_path, declared + "<tmx><body>" + UNIT.format("&b;", "x") + "</body></tmx>")


def test_a_torn_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"train\.tmx, row 3 .*: it is no valid XML"):
        read(tmp_path, HEAD + UNIT.format("a", "b") * 2 + "<tu>")


def test_a_unit_that_never_ends_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tmx, "_MOST_BYTES", 100_000)
    assert len(read(tmp_path, HEAD + UNIT.format("a", "b") * 5000 + "</body></tmx>")) == 5000
    with pytest.raises(UserError, match="no translation unit ends within"):
        read(tmp_path, HEAD + UNIT.format("a" * 200_000, "b") + "</body></tmx>")
