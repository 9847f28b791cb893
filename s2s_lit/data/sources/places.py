"""Where files are: names of files, patterns, folders and URLs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import NoReturn
from urllib.parse import urlsplit

from s2s_lit.data.sources.readers.formats import READERS, REFUSED, ending_of
from s2s_lit.errors import UserError

PACKED = (".gz", ".bz2", ".xz")
"""Endings of packed files that are unpacked while they are read."""

_HIDDEN = (".*", "*~", "#*#", "*.bak", "*.tmp", "*.swp", "*.part", "*.crdownload", "__MACOSX")
_ABOUT = ("readme*", "license*", "licence*", "copying*", "notice*", "changelog*", "citation*")
_SETTINGS = ("dataset_info.json", "dataset_infos.json", "dataset_dict.json", "state.json")


def found(names: str | Sequence[str], folder: Path | None) -> list[str]:
    """The files and URLs that names stand for, in the names' order.

    Raises:
        UserError: a name stands for no file, or a folder holds files of several formats.
    """
    places: list[str] = []
    for name in [names] if isinstance(names, str) else names:
        places += [_address(name)] if is_url(name) else map(str, _files(name, folder))
    if not places:
        raise UserError("a split names no file (data.corpus.files)")
    return places


def _address(url: str) -> str:
    """Raises a UserError about what is no address, and about one with a password in it."""
    try:
        parts = urlsplit(url)
        valid = bool(parts.hostname and parts.port != 0)
    except ValueError:
        valid = False
    if not valid:
        raise UserError(f"{shown(url)} is no address (data.corpus.files)")
    if parts.username is not None:
        raise UserError(
            f"The address of {parts.hostname} holds a password, which would stand in the run's records: download the "
            "file and name it instead (data.corpus.files)."
        )
    return url


def _files(name: str, folder: Path | None) -> list[Path]:
    path = expanded(folder or "") / expanded(name)
    try:
        if path.is_dir():
            return _of_one_format(path, data_files(path.iterdir()))
        files = [path] if path.is_file() else _matching(path)
    except OSError as error:
        raise UserError(f"{shown(path)} cannot be read: {error.strerror} (data.corpus.files)") from error
    if not files:
        raise UserError(f"There is no file {shown(path)!r} (data.corpus.files, DATA_DIR).")
    return files


def _matching(pattern: Path) -> list[Path]:
    """The files that a pattern means; of a folder's own name each character counts as it stands, brackets too."""
    start = Path(pattern.anchor)
    parts = list(pattern.relative_to(start).parts)
    while parts and (start / parts[0]).is_dir():
        start /= parts.pop(0)
    found = start.glob("/".join(parts)) if parts else []
    return sorted(path for path in found if path.is_file() and not is_hidden(path.relative_to(start)))


def data_files(paths: Iterable[Path]) -> list[Path]:
    """The files among paths that hold rows: of a format that is read, not hidden, no backup, and not about the data."""
    named = (path for path in paths if ending_of(bare(path.name)) in READERS and is_data(path.name))
    return sorted(path for path in named if path.is_file())


def is_data(name: str) -> bool:
    """Whether a file of that name may hold rows, by its name without its ending."""
    lowered = PurePath(name).name.lower()
    about = any(fnmatchcase(lowered, pattern) for pattern in _ABOUT) or lowered in _SETTINGS
    return not about and not is_hidden(PurePath(name))


def is_hidden(path: PurePath) -> bool:
    """Whether a file or a folder that it lies in is hidden, a backup, or a copy that is not complete."""
    return any(fnmatchcase(part, pattern) for part in path.parts if part != ".." for pattern in _HIDDEN)


def _of_one_format(folder: Path, files: list[Path]) -> list[Path]:
    endings = sorted({ending_of(bare(file.name)) for file in files})
    if len(endings) > 1:
        raise UserError(
            f"{shown(folder)} holds files of several formats ({', '.join(endings)}), which may be the same rows twice: "
            f"name those that are meant, as in {folder.name}/*.{endings[0]} (data.corpus.files)"
        )
    if not files:
        refuse_folder(folder)
    return files


def refuse_folder(folder: Path) -> NoReturn:
    """Raises a UserError about a folder without data: of files in formats that are not read it says what to do."""
    refused = sorted(path.name for path in folder.rglob("*") if ending_of(path.name) in REFUSED)
    remedy = f". {shown(refused[0])} is {REFUSED[ending_of(refused[0])]}" if refused else ""
    raise UserError(f"{shown(folder)} holds no file that can be read (data.corpus.files, DATA_DIR){remedy}")


def expanded(name: str | Path) -> Path:
    """The path, where ~ begins it from the home folder."""
    path = Path(name)
    return path.expanduser() if path.parts[:1] == ("~",) else path


def is_url(name: str) -> bool:
    return name.startswith(("http://", "https://"))


def bare(place: str) -> str:
    """The name of a file or URL without the ending of its packing."""
    name = PurePath(urlsplit(place).path if is_url(place) else place).name
    return name[: -len(packing)] if (packing := packing_of(place)) else name


def packing_of(place: str) -> str:
    """The ending that tells how a file is packed, in small letters; empty if it is not."""
    path = (urlsplit(place).path if is_url(place) else place).lower()
    return next((ending for ending in PACKED if path.endswith(ending)), "")


def shown(name: str | Path) -> str:
    """A name as it can be printed on one line, also where it has line breaks or bytes that are no text."""
    text = str(name)
    return text if text.isprintable() else text.encode("unicode_escape", "backslashreplace").decode("ascii")
