"""The table of training runs in MLflow's UI: its address, and the columns that it shows there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from s2s_lit.tracking.client.runs import RunRecord, best_key, list_runs

if TYPE_CHECKING:
    from mlflow.tracking import MlflowClient

SIGNATURE = "s2s.signature."
"""What tags begin with that say how a run's scores were made, one for each metric of its texts."""

_VIEW = "s2s"  # MLflow keeps what a table shows in a tag of the experiment, by a name that the address gives
_METRICS = 3


def runs_table(client: MlflowClient) -> str:
    """What follows the server's address: the table of the runs on the data that was trained on last.

    By itself MLflow opens on its pages of language models, and its table has no column of a score. What the table shows
    is written into the experiment.
    """
    newest = next(iter(list_runs("tags.`s2s.kind` = 'train'", client=client, limit=1)), None)
    experiment = None if newest is None else client.get_experiment_by_name(newest.dataset)
    if newest is None or experiment is None:
        return "#/experiments?workflowType=machine_learning"
    view = {"selectedColumns": columns(newest), "orderByKey": "attributes.start_time", "orderByAsc": False}
    client.set_experiment_tag(experiment.experiment_id, f"mlflow.sharedViewState.{_VIEW}", json.dumps(view))
    return f"#/experiments/{experiment.experiment_id}/runs?workflowType=machine_learning&viewStateShareKey={_VIEW}"


def columns(run: RunRecord) -> list[str]:
    """Test scores of the metrics that the run's task uses, its monitor first; its best loss; seed and experiment."""
    used = [tag.removeprefix(SIGNATURE) for tag in run.tags if tag.startswith(SIGNATURE)]
    names = list(dict.fromkeys([run.monitor.removeprefix("val/"), *used]))[:_METRICS]
    scores = [f"metrics.`test/{name}`" for name in names if name] + [f"metrics.`{best_key('val/loss')}`"]
    return [*scores, "params.`seed`", "tags.`s2s.experiment`"]
