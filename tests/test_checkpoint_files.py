"""A checkpoint is written whole or not at all, and read only as it was written."""

from __future__ import annotations

import functools
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from s2s_lit import checkpoint_files
from s2s_lit.checkpoint_files import NotSavedError, load_checkpoint, remove_checkpoint, save_checkpoint
from s2s_lit.config.build import load
from s2s_lit.config.compose import compose, to_yaml
from s2s_lit.errors import UserError
from s2s_lit.inference.bundle import read_bundle
from s2s_lit.training.restart_files import read_restart
from support.tasks import fields_of

CONTENT: dict[str, Any] = {"state_dict": {"weight": torch.arange(50.0)}, "global_step": 7}
EXPERIMENTS = Path(__file__).parents[1] / "experiments"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "folder" / "best.ckpt"
    save_checkpoint(CONTENT, path)
    return path


@pytest.mark.parametrize("mmap", [False, True])
def test_what_was_saved_is_read(mmap: bool, file: Path) -> None:
    content = load_checkpoint(file, mmap=mmap)
    assert content["global_step"] == 7
    assert torch.equal(content["state_dict"]["weight"], CONTENT["state_dict"]["weight"])
    assert [path.name for path in file.parent.iterdir()] == ["best.ckpt"]


def test_each_flipped_bit_is_told(file: Path) -> None:
    """Wherever it is: in the weights, in the padding between them, in the archive's own tables, in the checksum."""
    whole = file.read_bytes()
    places = range(len(whole) - 120, len(whole)), random.Random(1).sample(range(len(whole)), 300)
    for place in [*places[0], *places[1]]:
        damaged = bytearray(whole)
        damaged[place] ^= 1 << place % 8
        file.write_bytes(damaged)
        with pytest.raises(UserError, match=r"best\.ckpt is not a readable checkpoint"):
            load_checkpoint(file)


@pytest.mark.parametrize("content", [b"", b"PK", b"text", b"PK\5\6" + bytes(18), bytes(1000)], ids=repr)
def test_a_file_of_something_else_is_told(content: bytes, file: Path) -> None:
    file.write_bytes(content[:20] if len(content) == 1000 else content)
    with pytest.raises(UserError, match="is not a readable checkpoint"):
        load_checkpoint(file)


@pytest.mark.parametrize("length", [0.1, 0.5, 0.99])
def test_a_torn_file_is_told(length: float, file: Path) -> None:
    whole = file.read_bytes()
    file.write_bytes(whole[: int(length * len(whole))])
    with pytest.raises(UserError, match="Put a copy of it in its place"):
        load_checkpoint(file)


def test_a_file_without_a_checksum_is_read(file: Path) -> None:
    torch.save(CONTENT, file)
    assert load_checkpoint(file)["global_step"] == 7


def test_no_code_is_run(file: Path) -> None:
    save_checkpoint({"path": Path("x")}, file)
    with pytest.raises(UserError, match="is not a readable checkpoint"):
        load_checkpoint(file)


def test_a_folder_that_cannot_be_written_is_told_and_the_file_stays(file: Path) -> None:
    before = file.read_bytes()
    (file.parent / "best.ckpt.new").mkdir()  # as root may write everywhere else
    with pytest.raises(NotSavedError, match=r"best\.ckpt"):
        save_checkpoint({"global_step": 8}, file)
    assert file.read_bytes() == before


def test_a_full_disk_leaves_the_file_that_was(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def replace(fresh: Path, path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint_files, "replace", replace)
    with pytest.raises(OSError, match=r"No space left.*best\.ckpt"):
        save_checkpoint({"global_step": 8}, file)
    assert load_checkpoint(file)["global_step"] == 7
    assert [path.name for path in file.parent.iterdir()] == ["best.ckpt"]


def test_what_a_kill_left_of_writing_is_removed_with_the_file(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def killed(fresh: Path, path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(checkpoint_files, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        save_checkpoint(CONTENT, file)
    assert len(list(file.parent.iterdir())) == 2
    remove_checkpoint(file)
    assert not list(file.parent.iterdir())


READERS: tuple[Callable[[Path], object], ...] = (load, read_bundle)
"""Of those who go on with a task, and of those who use a model."""

STRANGE: dict[str, Callable[[str], Any]] = {
    "nothing": lambda good: "",
    "no YAML": lambda good: "a: [",
    "a number": lambda good: "42",
    "a list": lambda good: "- a\n- b",
    "a tag": lambda good: "!!python/object/apply:os.system [echo]",
    "a zero byte": lambda good: "a\0b",
    "half of a character": lambda good: "\ud800",
    "recursion": lambda good: "a: &a [*a]",
    "too deep": lambda good: "[" * 5000,
    "no model": lambda good: good.split("\nmodel:")[0],
    "no task": lambda good: good.split("\ntask:")[0],
    "a class that is gone": lambda good: good.replace("models.seq2seq.Seq2Seq", "models.gone.Seq2Seq"),
    "a function of the system": lambda good: good.replace("s2s_lit.models.seq2seq.Seq2Seq", "os.system"),
    "an abstract class": lambda good: good.replace("tasks.translation.TranslationTask", "tasks.base.Task"),
    "a negative size": lambda good: good.replace("hidden_size: 256", "hidden_size: -3"),
    "an enormous size": lambda good: good.replace("hidden_size: 256", "hidden_size: 99999999999"),
    "a seed of letters": lambda good: good.replace("seed: 1", "seed: x"),
}


@functools.cache
def configuration() -> str:
    return to_yaml(compose("bilstm_attn", "builtin", ["--data.tokenizer=Words"], EXPERIMENTS))


@pytest.mark.parametrize("kind", STRANGE)
def test_a_checkpoint_with_a_strange_configuration_is_told_in_a_sentence(kind: str, file: Path) -> None:
    own = {"config": STRANGE[kind](configuration()), "fields": fields_of(["a", "b"]).state()}
    save_checkpoint({"s2s_lit": own, "state_dict": {}}, file)
    for reader in READERS:
        with pytest.raises(UserError):
            reader(file)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"tokenizers": [], "fields": {"source": 0, "target": 0}},
        {"tokenizers": [{"class": "nowhere.Words", "state": {}}], "fields": {"source": 0, "target": 0}},
        {"tokenizers": [{"class": "os.system", "state": {}}], "fields": {"source": 0, "target": 0}},
        {"tokenizers": [], "fields": {"audio": 0}},
        None,
        5,
        "text",
    ],
)
def test_a_checkpoint_with_strange_vocabularies_is_told_in_a_sentence(fields: Any, file: Path) -> None:
    save_checkpoint({"s2s_lit": {"config": configuration(), "fields": fields}, "state_dict": {}}, file)
    for reader in READERS:
        with pytest.raises(UserError, match="vocabularies cannot be read"):
            reader(file)


@pytest.mark.parametrize("own", [{"config": None, "fields": {}}, {"config": "", "tokenizers": {}}, {}, None])
def test_a_checkpoint_of_another_version_or_kind_is_told_in_a_sentence(own: Any, file: Path) -> None:
    save_checkpoint({"s2s_lit": own, "state_dict": {}}, file)
    for reader in READERS:
        with pytest.raises(UserError, match=r"best\.ckpt is not a readable checkpoint of s2s_lit"):
            reader(file)


@pytest.mark.parametrize("own", [{"config": None}, {}, None])
def test_a_restart_point_of_another_version_or_kind_is_told_in_a_sentence(own: Any, file: Path) -> None:
    save_checkpoint({"s2s_lit": own, "restart": {"random_states": []}}, file)
    with pytest.raises(UserError, match=r"best\.ckpt is no restart point of this version"):
        read_restart(file)
