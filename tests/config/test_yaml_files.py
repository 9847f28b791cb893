"""One reader for all YAML: what is none is told in one sentence, and a value means the same in every file."""

from __future__ import annotations

import math
from argparse import ArgumentError
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s2s_lit.__main__ import main
from s2s_lit.config.compose import compose, from_yaml
from s2s_lit.config.jsonargparse_adapter import TESTED, empty_parser
from s2s_lit.config.yaml_files import parse, read_mapping, read_mapping_text, to_text
from s2s_lit.errors import UserError
from s2s_lit.tuning.search import sweep_reader

BOMB = "\n".join(
    ["a0: &a0 [x]", *(f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]" for level in range(1, 9))]
)

BAD = {
    b"trainer:\n\tmax_epochs: 7": "line 2, column 1: a tab cannot indent",
    b"trainer: {max_epochs: 7": "line 2, column 1: close the brackets",
    b"trainer:\n  max_epochs: 7\n clip: 1.0": "line 3, column 2: indent the keys",
    b"monitor: val/loss: min": "line 1, column 18: put a text with `: ` in quotes",
    b'monitor: "val/loss\n': "close the quotes",
    b"seed: *other": "undefined alias, line 1",
    b"seed: 1\nmonitor: a\nseed: 2": ": seed stands twice, line 1 and line 3: keep one",
    b"x: &x {p: 1, p: 2}\ny: *x": ": p stands twice",
    b"y: {<<: {p: 1}, <<: {q: 1}}": ": << stands twice",
    b"'seed': 1\nseed: 2": ": seed stands twice",
    b"- seed": "holds a list, not keys with their values",
    b"seed": "holds a single value, not keys with their values",
    b"": "is empty: write {}",
    b"# a comment": "is empty: write {}",
    b"seed: 1\n---\nseed: 2": "holds several documents, line 2",
    b"seed: !!python/object/apply:os.system [ls]": "has the tag !!python/object/apply:os.system, line 1",
    b"seed: !mine 1": "has the tag !mine, line 1",
    b"seed: 1\nmonitor: \x00": "has the control character U+0000, line 2",
    b"a: 1\nmonitor: \xff": "is not UTF-8 text, line 2: convert it",
    "seed: 1".encode("utf-16"): "is not UTF-8 text, line 1: convert it",
    b"a: &a [*a]": "repeats &a within itself, line 1",
    b"a: &a {b: {c: *a}}": "repeats &a within itself, line 1",
    b"a: " + b"[" * 100_000: "is nested deeper than 50 levels, line 1",
    BOMB.encode(): "holds more than 20000 values",
    b"true: 1": ": 'true', line 1, is no key",
    b"? [a, b]\n: 1": ": a list or mapping, line 1, is no key",
    b"seed: " + b"9" * 5000: "is no YAML",
    b"x: &x 1\n<<: *x": "expected a mapping",
}


@pytest.mark.parametrize("content", BAD, ids=[str(i) for i in range(len(BAD))])
def test_what_is_no_configuration_is_one_sentence_wherever_it_stands(
    content: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("experiments/data", "sweeps"):
        Path(folder).mkdir(parents=True)
    for file in ("experiments/base.yaml", "experiments/data/d.yaml", "experiments/e.yaml"):
        Path(file).write_text("{}\n")
    mine, sweep = Path("mine.yaml"), Path("sweeps/s.yaml")
    commands = {
        Path("experiments/base.yaml"): lambda: compose("e", "d", []),
        Path("experiments/data/d.yaml"): lambda: compose("e", "d", []),
        Path("experiments/e.yaml"): lambda: compose("e", "d", []),
        mine: lambda: compose("e", "d", [f"--config={mine}"]),
        sweep: lambda: sweep_reader.read_sweep("s"),
    }
    for file, command in commands.items():
        before = file.read_bytes() if file.exists() else b""
        file.write_bytes(content)
        with pytest.raises(UserError) as refused:
            command()
        said = str(refused.value)
        assert said.startswith(f"{file}")
        assert BAD[content] in said
        assert "\n" not in said
        file.write_bytes(before)


def test_a_checkpoints_configuration_is_read_by_the_same_reader() -> None:
    with pytest.raises(UserError, match="checkpoint's configuration: it: seed stands twice, line 1"):
        from_yaml("seed: 1\nseed: 2\n")


def test_a_folder_or_a_missing_file_is_named(tmp_path: Path) -> None:
    for file in (tmp_path, tmp_path / "none.yaml"):
        with pytest.raises(UserError, match=f"^{file} cannot be read: "):
            read_mapping(file)


VALUES: dict[str, Any] = {
    "1e-3": 1e-3, "1E5": 1e5, "-1.5e+3": -1500.0, ".5": 0.5, "1.": 1.0, ".inf": math.inf, "-.inf": -math.inf,
    "10": 10, "+10": 10, "010": 10, "0x1F": 31, "0o17": 15, "true": True, "False": False,
    "null": None, "~": None, "": None,
    "1_000": "1_000", "0b1": "0b1", "12:30": "12:30", "2024-01-31": "2024-01-31",
    "yes": "yes", "no": "no", "on": "on", "off": "off", "y": "y", "NO": "NO",
}  # fmt: skip


@pytest.mark.parametrize("text", VALUES)
def test_a_value_means_the_same_to_us_and_to_jsonargparse(text: str) -> None:
    assert read_mapping_text(f"key: {text}", "it") == {"key": VALUES[text]}
    parser = empty_parser()
    parser.add_argument("--key", type=int | float | bool | str | None)
    value = parser.parse_string(f"key: {text}\n", path="a file").key
    assert (type(value), value) == (type(VALUES[text]), VALUES[text])


@pytest.mark.parametrize("word", ["yes", "on", "1_000", "0b1", "12:30"])
@pytest.mark.parametrize("kind", [int, float, bool])
def test_what_only_looks_like_a_number_or_a_switch_is_none(word: str, kind: type) -> None:
    parser = empty_parser()
    parser.add_argument("--key", type=kind)
    with pytest.raises(ArgumentError, match='"key"'):
        parser.parse_string(f"key: {word}\n")
    with pytest.raises(ArgumentError, match='"key"'):
        parser.parse_args([f"--key={word}"])


def test_the_version_whose_inside_is_reached_is_the_installed_one() -> None:
    assert version("jsonargparse").startswith(f"{TESTED}."), (
        "look at what jsonargparse_adapter.py reaches, then at TESTED"
    )


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.sampled_from([*VALUES])


@given(st.recursive(PLAIN, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8))
def test_what_is_written_is_read_again(tree: Any) -> None:
    assert parse(to_text(tree)) == tree


@given(st.text(alphabet="ab:-{}[],&*!|>'\"#%@`\n\t \0\ud800é1?<", max_size=40))
def test_any_text_is_read_or_refused_in_one_sentence(text: str) -> None:
    try:
        said = str(read_mapping_text(text, "it").keys())
    except UserError as error:
        said = str(error)
    assert "\n" not in said


def test_one_bad_file_does_not_hide_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("experiments/data", "sweeps"):
        Path(folder).mkdir(parents=True)
    for name, content in {"good": b"# The good one.\n{}\n", "bad": b"# The bad one.\n- \xff", "worse": b"{"}.items():
        for folder in ("experiments", "experiments/data"):
            Path(folder, f"{name}.yaml").write_bytes(content)
    Path("experiments/a_folder.yaml").mkdir()
    assert main(["experiments"]) == 0
    listed = capsys.readouterr().out
    assert listed.count("The good one.") == 2
    assert listed.count("is not UTF-8 text") == 2
    head = b"# Searches.\nexperiment: e\nobjectives: {val/loss: minimize}\nspace: {task.x: {float: [0, 1]}}\n"
    Path("sweeps/bad.yaml").write_bytes(b"- \xff")
    Path("sweeps/bare.yaml").write_bytes(head + b"seed: 3\n")
    assert main(["sweep"]) == 0
    listed = capsys.readouterr().out
    assert "is not UTF-8 text" in listed
    assert "unknown key seed" in listed
