"""The door for Python: what is loaded answers as the verbs do, in any order, any number, without a corpus."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tracemalloc
from importlib.metadata import version
from pathlib import Path

import pytest
import torch

import s2s_lit
from s2s_lit.__main__ import main
from s2s_lit.decoding.greedy import GreedySearch
from s2s_lit.errors import UserError
from s2s_lit.inference.generator import Outputs
from s2s_lit.tracking.client import sqlite_file
from s2s_lit.tracking.client.connection import connect
from s2s_lit.tracking.client.runs import RunRecord, list_runs
from s2s_lit.training.start import Trained

ROOT = Path(__file__).parents[2]
TEXTS = ["A man is reading a book.", "", "Two dogs run.", "A man is reading a book.", "A woman"]

IMPORTED = """
import json, sys, time
before = time.process_time()
import s2s_lit
print(json.dumps([time.process_time() - before, "torch" in sys.modules, "jsonargparse" in sys.modules]))
"""

ANSWERED = """
import json, sys, time
times = [time.process_time()]
import torch
times.append(time.process_time())
import s2s_lit
model = s2s_lit.load(sys.argv[1])
model.generate(["A man is reading a book."])
times.append(time.process_time())
heavy = [name for name in ("lightning", "mlflow", "torchmetrics", "datasets", "matplotlib") if name in sys.modules]
print(json.dumps([times[1] - times[0], times[2] - times[1], heavy]))
"""


def said(program: str, *words: str) -> list[object]:
    """What a new interpreter prints."""
    done = subprocess.run([sys.executable, "-c", program, *words], capture_output=True, text=True, check=True)
    found: list[object] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_importing_is_quick_and_brings_no_torch() -> None:
    seconds, *heavy = said(IMPORTED)
    assert heavy == [False, False]
    assert isinstance(seconds, float)
    assert seconds < 0.2
    assert set(s2s_lit.__all__) <= set(dir(s2s_lit))
    with pytest.raises(AttributeError, match="lod"):
        _ = s2s_lit.lod


def test_loading_and_the_first_answer_are_quick(trained: Trained) -> None:
    """Measured in the processor's time against importing torch: how busy the machine is does not count."""
    torch_alone, beyond, heavy = said(ANSWERED, trained.run_id)
    assert heavy == []
    assert isinstance(beyond, float)
    assert isinstance(torch_alone, float)
    assert beyond < max(2.0, 1.5 * torch_alone)


def test_a_training_returns_its_scores(trained: Trained) -> None:
    assert {"bleu", "loss"} <= set(trained.scores)
    assert list_runs()[0].params["trainer.max_epochs"] == "1"


def test_what_run_takes_load_takes(trained: Trained, model: s2s_lit.TrainedModel) -> None:
    file = next(Path("runs").rglob("best.ckpt"), None) or next(Path.cwd().rglob("best.ckpt"))
    expected = [outputs.text for outputs in model.generate(TEXTS)]
    for run in ("latest", "best", "bilstm_attn", trained.run_id[:8], trained.run_name, file, str(file)):
        assert [outputs.text for outputs in s2s_lit.load(run).generate(TEXTS)] == expected
    twice = s2s_lit.load(["latest", file])
    assert [outputs.text for outputs in twice.generate(TEXTS)] == expected
    assert len(twice.members) == 2


def test_the_verb_says_the_same(trained: Trained, model: s2s_lit.TrainedModel, tmp_path: Path) -> None:
    source, target = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("".join(f"{text}\n" for text in TEXTS))
    assert main(["translate", "latest", "--in", str(source), "--out", str(target), "--n_best", "2"]) == 0
    lines = [
        f"{number}\t{output.score:.4f}\t{output.text}"
        for number, outputs in enumerate(model.generate(TEXTS, n_best=2), 1)
        for output in outputs
    ]
    assert target.read_text().splitlines() == lines


def test_outputs_stand_in_the_order_of_their_inputs(model: s2s_lit.TrainedModel) -> None:
    found = model.generate(TEXTS)
    assert found[1] == ()
    assert found[1].text == ""
    assert found[0].text == found[3].text
    assert found[0].score == found[3].score
    backwards = model.generate(TEXTS[::-1])[::-1]
    for one, other in zip(found, backwards, strict=True):
        assert one.text == other.text
        assert one.score == pytest.approx(other.score)
    best = found[0][0]
    assert best.attention is not None
    assert best.attention.shape == (len(best.tokens), len(best.input_tokens))
    assert model.generate(TEXTS[:1], attention=False)[0].attention is None


def test_settings_of_the_search(model: s2s_lit.TrainedModel) -> None:
    three = model.generate(TEXTS[:1], beam_size=5, n_best=3)[0]
    assert len(three) == 3
    assert three[0].score >= three[1].score >= three[2].score
    greedy = model.generate(TEXTS[:1], search=GreedySearch(max_length_ratio=1))[0]
    assert greedy.text == model.generate(TEXTS[:1], beam_size=1, length_penalty=0.0)[0].text
    forced = model.generate(TEXTS[:1], prefix="ein Mann")[0]
    assert forced.text.startswith("ein Mann")
    with pytest.raises(UserError, match="no setting 'beem_size'; did you mean beam_size"):
        model.generate(TEXTS, beem_size=3)
    with pytest.raises(UserError, match="beam_size"):
        model.generate(TEXTS, beam_size=0)


def test_a_generator_is_answered_in_bounded_memory(model: s2s_lit.TrainedModel) -> None:
    taken = 0

    def inputs() -> object:
        nonlocal taken
        for number in range(10_000):
            taken += 1
            yield "a" if number % 2 else ""

    settings = {"search": GreedySearch(max_length_ratio=0, max_length_offset=1), "attention": False}
    tracemalloc.start()
    answered, first = 0, None
    for outputs in model.generate(inputs(), **settings):  # type: ignore[call-overload]
        first = taken if first is None else first
        answered += isinstance(outputs, Outputs)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert answered == 10_000
    assert first is not None
    assert first < 5_000
    assert peak < 30e6


def test_scores_are_the_search_s(model: s2s_lit.TrainedModel) -> None:
    best = model.generate(TEXTS[:1])[0]
    (scored,) = model.score(TEXTS[:1], [best.text])
    assert scored.log_prob == pytest.approx(sum(scored.token_log_probs))
    assert len(scored.tokens) == len(scored.token_log_probs)
    assert scored.log_prob < 0
    with pytest.raises(UserError, match="2 sources and 1 targets"):
        model.score(["a", "b"], ["c"])


def test_what_cannot_be_loaded_is_one_sentence(trained: Trained, tmp_path: Path) -> None:
    strange = tmp_path / "strange.ckpt"
    strange.write_bytes(b"no checkpoint")
    with pytest.raises(UserError, match="is not a readable checkpoint"):
        s2s_lit.load(strange)
    with pytest.raises(UserError, match=r"missing\.ckpt does not exist"):
        s2s_lit.load("missing.ckpt")
    with pytest.raises(UserError, match="did you mean RUN=bilstm_attn"):
        s2s_lit.load("bilstm_atn")
    with pytest.raises(UserError, match="name at least one run"):
        s2s_lit.load([])


def test_one_text_is_no_list_and_a_number_is_no_source(model: s2s_lit.TrainedModel) -> None:
    with pytest.raises(UserError, match="give a list of texts"):
        model.generate("A man")
    with pytest.raises(UserError, match="reads source: give a list"):
        model.generate(3)


def test_a_model_moves(model: s2s_lit.TrainedModel) -> None:
    assert model.to("cpu") is model
    assert model.device == torch.device("cpu")
    assert list(model.fields) == ["source", "target"]


def test_runs_read_from_the_file_are_those_that_mlflow_finds(trained: Trained) -> None:
    assert version("mlflow").startswith(f"{sqlite_file.TESTED}."), "look at sqlite_file.py, then at TESTED"
    client = connect()
    ids = [experiment.experiment_id for experiment in client.search_experiments()]
    for where in (
        "",
        "tags.`s2s.kind` = 'train' and attributes.status = 'FINISHED'",
        f"attributes.run_name = '{trained.run_name}'",
        f"attributes.run_id LIKE '{trained.run_id[:7]}%'",
        f"attributes.run_id = '{trained.run_id}'",
        "tags.`s2s.kind` = 'none'",
    ):
        theirs = [RunRecord.of(run) for run in client.search_runs(ids, where, order_by=["start_time DESC"])]
        assert sqlite_file.search(Path("mlflow.db"), where) is not None
        assert list_runs(where) == theirs
    assert sqlite_file.search(Path("mlflow.db"), "metrics.loss > 1") is None


def test_the_lines_of_readme_run(trained: Trained, monkeypatch: pytest.MonkeyPatch) -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## From Python")[2].partition("\n## ")[0]
    blocks = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    assert len(blocks) == 2
    monkeypatch.setattr(s2s_lit, "train", lambda *args, **settings: trained, raising=False)
    for block in blocks:
        exec(block, {"__name__": "readme"})
