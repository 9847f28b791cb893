"""Trained models in use: one run, or several as one ensemble."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields as settings_of
from dataclasses import replace
from pathlib import Path
from typing import Any, Self, overload

import torch

from s2s_lit.decoding.ensemble import Ensemble, Mean
from s2s_lit.decoding.search import Search
from s2s_lit.errors import UserError, did_you_mean
from s2s_lit.inference.bundle import Bundle, read_bundle
from s2s_lit.inference.generator import Outputs, Raw, generate, prefix_ids
from s2s_lit.inference.scoring import Scored, score
from s2s_lit.tracking.client.runs import download_checkpoint, find_run

Run = str | Path
"""What a trained model is named by: latest, best, an experiment's name, a run's id or name, a checkpoint's path."""


class TrainedModel:
    """A trained model, or several as one, which answers any number of inputs.

    Attributes:
        model: What is searched: the network, or an ensemble.
        members: The networks.
        fields: The inputs and the target by name, with their tokenizers.
        search: The search that the first run is configured with.
        text_of: Writes an output as text.
        batch_size: Examples at a time.
    """

    def __init__(self, bundles: Sequence[Bundle], *, mean: Mean = "probabilities") -> None:
        first = bundles[0]
        self.members = [bundle.model for bundle in bundles]
        self.model = first.model if len(bundles) == 1 else Ensemble(self.members, mean=mean)
        self.fields, self.search, self.text_of = first.fields, first.search, first.text_of
        self.batch_size = first.batch_size

    @property
    def device(self) -> torch.device:
        """Where the network lies."""
        return next(self.members[0].parameters()).device

    def to(self, device: torch.device | str) -> Self:
        """Moves the network; the model itself."""
        for member in self.members:
            member.to(device)
        return self

    @overload
    def generate(self, sources: Sequence[Raw] | int, **settings: Any) -> list[Outputs]: ...

    @overload
    def generate(self, sources: Iterable[Raw], **settings: Any) -> Iterator[Outputs]: ...

    def generate(
        self,
        sources: Iterable[Raw] | int,
        *,
        search: Search | None = None,
        prefix: str = "",
        attention: bool = True,
        **settings: Any,
    ) -> list[Outputs] | Iterator[Outputs]:
        """The outputs for each input, best first, in the inputs' order; an empty input has none.

        Args:
            sources: A list of inputs, answered by a list; or any other iterable, read and answered block by block by an
                iterator, in bounded memory. An input is a text or, where a model reads several, a mapping by their
                names. For a model that reads nothing a number: so many samples, likelier ones first.
            search: How outputs are found; None: as the run is configured.
            prefix: Words with which every output begins.
            attention: Whether outputs carry the attention's weights.
            **settings: Settings of the search to change, by name: `beam_size=5, n_best=3`.

        Raises:
            UserError: An input, a setting or the prefix cannot be used.
        """
        if isinstance(sources, int):
            return self._samples(sources, search=search, prefix=prefix, attention=attention, **settings)
        _require_many(sources)
        found = generate(
            self,
            sources,
            search=changed(search or self.search, settings),
            prefix=prefix_ids(self, prefix),
            keep_weights=attention and self.attends,
        )
        return list(found) if isinstance(sources, Sequence) else found

    def score(self, sources: Iterable[Raw], targets: Iterable[str] | None = None) -> list[Scored]:
        """How likely each target is for its input; for a model that reads nothing the targets alone are given.

        Raises:
            UserError: There are not as many inputs as targets, or one cannot be used.
        """
        _require_many(sources)
        _require_many(targets)
        if targets is None:
            texts = [str(text) for text in sources]
            return list(map(Scored, score(self, (({}, text) for text in texts))))
        sources, targets = list(sources), list(targets)
        if len(sources) != len(targets):
            raise UserError(f"there are {len(sources)} sources and {len(targets)} targets: give one for each")
        return list(map(Scored, score(self, zip(sources, targets, strict=True))))

    @property
    def attends(self) -> bool:
        """Whether there are attention weights."""
        return any(member.attends for member in self.members)

    def _samples(self, count: int, **settings: Any) -> list[Outputs]:
        """One input without content and `count` outputs: equal inputs of a batch would draw alike in each batch."""
        if self.fields.inputs:
            raise UserError(f"this model reads {' and '.join(self.fields.inputs)}: give a list of inputs, not a number")
        many = {"n_best": count} if count > 1 else {}
        (outputs,) = self.generate([{}], **{**settings, **many})
        return [Outputs([output]) for output in outputs]


def load(
    run: Run | Sequence[Run] = "latest",
    *,
    dataset: str | None = None,
    mean: Mean = "probabilities",
    device: torch.device | str | None = None,
) -> TrainedModel:
    """A trained model; it needs neither the corpus nor the trainer.

    Args:
        run: `latest`, `best`, an experiment's name (its best run), a run's id or name, or the path of a checkpoint;
            several in a list are an ensemble.
        dataset: Look only among the runs on this data.
        mean: What an ensemble averages.
        device: Where the network lies; None: a GPU if there is one.

    Raises:
        UserError: There is no such run or file, or the runs do not fit together.
    """
    runs = [run] if isinstance(run, (str, Path)) else list(run)
    return load_models(runs, dataset=dataset, mean=mean, device=device)


def load_models(
    runs: Sequence[Run],
    *,
    dataset: str | None,
    mean: Mean,
    overrides: Sequence[str] = (),
    device: torch.device | str | None = None,
) -> TrainedModel:
    """The runs as one; `overrides` change the configuration of the first.

    Raises:
        UserError: A run is not found, or their vocabularies differ.
    """
    if not runs:
        raise UserError("name at least one run: latest, best, an experiment, a run's id, or a checkpoint's path")
    found = [checkpoint_of(run, dataset) for run in runs]
    bundles = [read_bundle(file, [] if member else overrides) for member, (_, file) in enumerate(found)]
    for (name, _), bundle in zip(found, bundles, strict=True):
        _require_same_tokens(bundles[0], bundle, found[0][0], name)
    return TrainedModel(bundles, mean=mean).to(device or ("cuda" if torch.cuda.is_available() else "cpu"))


def checkpoint_of(run: Run, dataset: str | None = None) -> tuple[str, Path]:
    """What messages call a run, and the file of its best checkpoint.

    Raises:
        UserError: There is none.
    """
    if isinstance(run, Path) or run.endswith(".ckpt"):
        file = Path(run).expanduser()
        if not file.is_file():
            raise UserError(f"{file} does not exist, or is no file: give a checkpoint's path, or name a run")
        return str(file), file
    record = find_run(run, dataset=dataset)
    return f"{record.name} ({record.run_id[:8]})", download_checkpoint(record)


def changed(search: Search, settings: dict[str, Any]) -> Search:
    """The search with some of its settings changed.

    Raises:
        UserError: It has no such setting, or cannot have that value.
    """
    known = [field.name for field in settings_of(search)]
    if unknown := [name for name in settings if name not in known]:
        hint = did_you_mean(unknown[0], known) or "."
        name = type(search).__name__
        raise UserError(f"{name} has no setting {unknown[0]!r}{hint} Its settings: {', '.join(known)}")
    return replace(search, **settings)


def _require_many(texts: object) -> None:
    """A lone text would be taken for a list of its letters."""
    if isinstance(texts, str):
        raise UserError(f"give a list of texts, [{texts[:30]!r}], not a text by itself")


def _require_same_tokens(first: Bundle, other: Bundle, name: str, other_name: str) -> None:
    names = f"runs {name} and {other_name}"
    if list(first.fields) != list(other.fields):
        raise UserError(f"{names} have different fields, so they cannot be one ensemble")
    for field, text in first.fields.text_fields.items():
        one, two = text.tokenizer.tokens, other.fields.text_fields[field].tokenizer.tokens
        if list(one) != list(two):
            raise UserError(
                f"{names} have different {field} vocabularies ({len(one)} and {len(two)} tokens), so they cannot be "
                "one ensemble: choose runs on the same data with the same data.tokenizer"
            )
