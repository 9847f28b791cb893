"""The files of `experiments/`: what can be trained, and on which data. Nothing heavy is imported to list them."""

from __future__ import annotations

from pathlib import Path

from s2s_lit.checks import single_name
from s2s_lit.config.yaml_files import first_comment, read_mapping
from s2s_lit.errors import UserError, did_you_mean

FOLDER = Path("experiments")
PROJECT = Path(__file__).parents[2] / FOLDER
"""The same of the project itself."""

BASE = "base.yaml"
"""What every experiment is a difference from; none itself."""


def folder_here() -> Path:
    """The folder of the working directory or, where there is none, that of the project itself."""
    return FOLDER if (FOLDER / BASE).is_file() or not PROJECT.is_dir() else PROJECT


def list_experiments(folder: Path = FOLDER) -> dict[str, str]:
    """The experiments of a folder, or its data: names and what the first line of each says, or why it is none."""
    return {file.stem: _what(file) for file in sorted(folder.glob("*.yaml")) if file.name != BASE}


def _what(file: Path) -> str:
    try:
        read_mapping(file)
        return first_comment(file)
    except UserError as error:
        return f"cannot be used: {error}"


def files_of(experiment: str, dataset: str, folder: Path = FOLDER) -> list[Path]:
    """The files that an experiment on a data set is composed of, the later over the earlier.

    Raises:
        UserError: There is no such experiment or data set.
    """
    if not (folder / BASE).is_file():
        raise UserError(f"{folder / BASE} does not exist: run this in the project's folder")
    return [folder / BASE, _named("DATA", dataset, folder / "data"), _named("EXP", experiment, folder)]


def _named(variable: str, name: str, folder: Path) -> Path:
    """The file that EXP or DATA names."""
    file = folder / f"{single_name(variable, name)}.yaml"
    if not file.is_file():
        names = list_experiments(folder)
        hint = did_you_mean(name, names, prefix=f"{variable}=") or "."
        raise UserError(f"{variable}={name}: {file} does not exist{hint} There are: {', '.join(names)}")
    return file
