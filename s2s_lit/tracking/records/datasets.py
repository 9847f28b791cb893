"""The data that a run has read, as MLflow's column `Dataset` and the page behind it show it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from s2s_lit.tracking.client.limits import cut
from s2s_lit.tracking.delivery.entries import Dataset

_CONTEXTS = {"train": "training"}  # MLflow's word; it says validation and test as we do
_DIGITS = 8  # of the fingerprint; the whole of it would fill the column
_MAX_NAME, _MAX_CONTEXT, _MAX_TYPE, _MAX_SOURCE = 500, 500, 36, 65535


def datasets_of(name: str, report: Mapping[str, Any]) -> Iterator[Dataset]:
    """One for each split of a data module's report that has been read.

    MLflow keeps what is said first of a name and a digest, for all runs. So this says what the data are, and not what
    a run made of them: how many rows its filters kept is a metric.

    Args:
        name: The data set's name, the same for all of its splits.
        report: What names the corpus, its two `columns`, and of each of its `splits` the `rows` and the `fingerprint`.
    """
    corpus = {key: value for key, value in report.items() if key not in ("columns", "streaming", "splits")}
    kind, source = _origin(corpus)
    columns = [{"name": column, "type": "string"} for column in report.get("columns", ())]
    for split, counts in report.get("splits", {}).items():
        if counts["rows"]:
            profile = {**{key: v for key, v in corpus.items() if v != ""}, "split": split, "rows": counts["rows"]}
            yield Dataset(
                name=cut(name, _MAX_NAME),
                digest=counts["fingerprint"][:_DIGITS],
                context=cut(_CONTEXTS.get(split, split), _MAX_CONTEXT),
                source_type=cut(kind, _MAX_TYPE),
                source=cut(json.dumps(source), _MAX_SOURCE),
                schema=json.dumps({"mlflow_colspec": columns}) if columns else "",
                profile=json.dumps(profile, default=str),
            )


def _origin(corpus: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """MLflow's type of source, and the source: it links a repository of the Hub and a local folder."""
    if folder := corpus.get("data_dir"):
        return "local", {"uri": folder}
    kind = str(corpus.get("source", "code"))
    if kind == "hub":
        return "hugging_face", {"path": corpus["path"], "config_name": corpus["name"] or None}
    return kind, corpus
