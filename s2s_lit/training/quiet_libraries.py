"""What libraries would say that is of no use to those who train."""

from __future__ import annotations

import logging
import os
import warnings

_ANSWERED = (
    ".*does not have many workers.*",  # batches are planned ahead and cut from memory
    ".*treespec.*",
    ".*sync_dist=True.*",  # what is logged is of all processes already
    ".*Checkpoint directory .* exists and is not empty.*",  # a resumed training's own; what waits for the store
)


def quiet_libraries() -> None:
    """Keeps Lightning's advertisements and the notes that our design answers out of the terminal."""
    for name in ("lightning.pytorch", "lightning.pytorch.utilities.rank_zero", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.WARNING)
    no_job = () if "SLURM_JOB_ID" in os.environ else (".*`srun` command is available.*",)
    for note in (*_ANSWERED, *no_job):
        warnings.filterwarnings("ignore", message=note)
