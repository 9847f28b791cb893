"""s2s_lit: train, compare and tune recurrent sequence-to-sequence models; from a terminal or from Python.

    import s2s_lit

    run = s2s_lit.train("bilstm_attn", overrides={"trainer.max_epochs": 1})
    model = s2s_lit.load(run.run_id)
    print(model.generate(["A man is reading a book."], beam_size=5)[0].text)

Names: `train` and `compare` do what the commands of these names do, and `load` gives the model that the other commands
use. `UserError` is what they raise where the caller can mend something; `Trained` and
`TrainedModel` are what `train` and `load` give. What is heavy is imported when a name is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from s2s_lit.errors import UserError

if TYPE_CHECKING:
    from s2s_lit.comparison.plain import compare
    from s2s_lit.inference.models import TrainedModel, load
    from s2s_lit.training.start import Trained
    from s2s_lit.training.train import train

__version__ = "0.2.0"
__all__ = ["Trained", "TrainedModel", "UserError", "__version__", "compare", "load", "train"]

_PLACES = {
    "Trained": "s2s_lit.training.start",
    "TrainedModel": "s2s_lit.inference.models",
    "compare": "s2s_lit.comparison.plain",
    "load": "s2s_lit.inference.models",
    "train": "s2s_lit.training.train",
}


def __getattr__(name: str) -> Any:
    if name not in _PLACES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_PLACES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
