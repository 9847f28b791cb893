"""What of its configuration a training that was stopped may change when it goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s2s_lit.errors import UserError

if TYPE_CHECKING:
    from jsonargparse import Namespace

MAY_CHANGE = (
    "trainer.max_epochs",
    "trainer.max_steps",
    "trainer.val_check_interval",
    "trainer.check_val_every_n_epoch",
    "trainer.limit_val_batches",
    "trainer.limit_test_batches",
    "trainer.log_every_n_steps",
    "trainer.accelerator",
    "trainer.devices",
    "trainer.num_nodes",
    "restart_minutes",
    "restart_steps",
    "data.num_workers",
    "data.eval_batch_size",
    "data.corpus.data_dir",
    "task.search",
)
"""How long it lasts, how it is looked at, where it runs: all else is in its state, or what its state is counted in."""


def require_unchanged(before: Namespace, now: Namespace) -> None:
    """Refuses a change that would not take effect, or would lose or repeat data.

    Raises:
        UserError: another key than those that may change has another value.
    """
    stored, wanted = dict(before.items()), dict(now.items())
    for key in {**wanted, **stored}:
        name = key.replace(".init_args", "").removesuffix(".class_path")
        if stored.get(key) != wanted.get(key) and not f"{name}.".startswith(tuple(f"{may}." for may in MAY_CHANGE)):
            raise UserError(
                f"{name} cannot change: a training that was stopped goes on as it was. Begin a new run for that. "
                f"What may change: {', '.join(MAY_CHANGE)}"
            )
