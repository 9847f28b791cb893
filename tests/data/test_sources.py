"""What all sources of rows share."""

from __future__ import annotations

import pytest

from s2s_lit.data.sources.base import CorpusSource
from s2s_lit.data.sources.rows import Rows, ShardedRows
from s2s_lit.errors import UserError


@pytest.mark.parametrize(("asked", "there"), [("validation", "dev"), ("dev", "validation"), ("test", "test")])
def test_splits_have_the_hubs_aliases(asked: str, there: str) -> None:
    class OneSplit(CorpusSource):
        def identity(self) -> dict[str, str]:
            return {}

        def splits(self, *, streaming: bool) -> list[str]:
            return [there]

        def split(self, name: str, *, streaming: bool) -> Rows:
            return ShardedRows([(name, lambda columns: [{"en": name}])])

    assert [row["en"] for row in OneSplit().rows(asked, streaming=False)] == [there]
    with pytest.raises(UserError, match="no split 'train'; it has '" + there):
        OneSplit().rows("train", streaming=False)
