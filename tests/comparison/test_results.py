"""`s2s compare`: what it prints, its page, where it is kept."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
import torch
from mlflow.tracking import MlflowClient

from s2s_lit.__main__ import main
from s2s_lit.comparison.compute import compare
from s2s_lit.comparison.selection import read_predictions
from s2s_lit.metrics.answers import ExactMatch
from s2s_lit.metrics.edit import WordErrorRate
from s2s_lit.metrics.likelihood import Likelihood, TextLikelihood
from s2s_lit.metrics.text import TextMetric
from s2s_lit.tracking.client.connection import connect
from s2s_lit.tracking.client.runs import RunRecord, list_runs
from s2s_lit.types import Prediction
from support.compared import predict, references, write_run
from support.sacrebleus import command_line
from support.tiny import TINY

TEXTS = references(40)
QUICK = ["--bootstrap=60", "--randomizations=60", "--examples=2"]
VOID = {"meta", "br"}
EXPERIMENTS = Path(__file__).parents[2] / "experiments"


@pytest.fixture
def folder(store: MlflowClient, tmp_path: Path) -> Path:
    """A working directory with an empty store."""
    return tmp_path


class Tags(HTMLParser):
    """Fails on tags that are not closed in order; gathers what a browser would fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.fetched += [str(value) for name, value in attrs if name in ("src", "href", "xlink:href", "data")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def compared() -> tuple[RunRecord, str, dict[str, Any]]:
    """The newest comparison's run, page and numbers."""
    run = next(run for run in list_runs() if run.kind == "compare")
    files = Path(connect().download_artifacts(run.run_id, ""))
    return run, (files / "compare.html").read_text(), json.loads((files / "compare.json").read_text())


def test_groups_of_seeds_are_compared_and_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for experiment, damage in (("lstm", 0.6), ("bilstm_attn", 0.1)):
        for seed in (1, 2, 3):
            write_run(experiment, predict(TEXTS, damage, seed), seed=seed, model={"name": experiment})
    write_run("gru", predict(TEXTS, 0.6, 9, rich=False), model={"name": "<gru>"})
    assert main(["compare", "lstm", "bilstm_attn", "gru", *QUICK]) == 0
    printed = capsys.readouterr().out
    labels = "BLEU, chrF, TER, perplexity, edit distance (words)"
    assert f"bilstm_attn against lstm: significantly better in {labels}" in printed
    assert "Means over 3 and 3 seeds" in printed
    assert "gru against lstm: no significant difference in BLEU, chrF, TER, edit distance (words)" in printed
    assert "gru: no likelihoods of examples are kept of it. make evaluate RUN=" in printed
    run, page, numbers = compared()
    assert (run.status, run.dataset, len(json.loads(run.tags["s2s.compared"])[0])) == ("FINISHED", "builtin", 3)
    assert re.search(r"page: (\S+compare\.html),", printed)[1] in {str(p) for p in Path("runs").rglob("*.html")}  # type: ignore[index]
    first, second, third = numbers["systems"]
    assert len(second["scores"]["chrf"]["seeds"]) == 3
    assert second["scores"]["chrf"]["seeds_p"] < 0.05
    assert third["scores"]["chrf"]["seeds_p"] is None
    assert first["scores"]["perplexity"]["score"] == pytest.approx(2.718281828**1.6)
    assert "perplexity" not in third["scores"]
    parser = Tags()
    parser.feed(page)
    assert not parser.open
    assert all(address.startswith(("#", "data:image/png;base64")) for address in parser.fetched)
    assert '<meta name="viewport" content="width=device-width' in page  # else a telephone shows it as wide as a desk
    assert not {"script", "link", "iframe", "img"} & set(parser.seen)
    assert page.count('<figure class="lines"><svg') == 2
    assert page.count('<figure class="attention"><figcaption>') == 2 * 4 + 4  # gru has none
    assert "significantly better" in page


def test_its_numbers_are_those_of_sacrebleus_command_line(folder: Path) -> None:
    runs = {
        name: write_run(name, predict(TEXTS, damage, 1), model={"name": name})
        for name, damage in (("lstm", 0.4), ("gru", 0.3))
    }
    assert main(["compare", *runs, *QUICK]) == 0
    scores = {system["name"]: system["scores"] for system in compared()[2]["systems"]}
    kept = {name: read_predictions(run, "test") for name, run in runs.items()}
    outputs = {name: [p.hypothesis for p in predictions] for name, predictions in kept.items()}
    for test, key in (("bs", "bootstrap_p"), ("ar", "randomization_p")):
        printed = command_line(test, folder, [p.reference for p in kept["lstm"]], outputs, 60)
        for column, name in enumerate(("bleu", "chrf", "ter")):
            for system in outputs:
                assert scores[system][name]["score"] == pytest.approx(printed[system][column][0], abs=2e-10)
            assert scores["gru"][name][key] == pytest.approx(printed["gru"][column][-1], abs=5e-5)


def test_another_seed_of_an_experiment_is_chance(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, two = (write_run("lstm", predict(TEXTS, damage, seed), seed=seed) for seed, damage in ((1, 0.6), (2, 0.1)))
    assert main(["compare", one, two[:8], *QUICK]) == 0
    printed = capsys.readouterr().out
    assert "not significant: the same experiment, another seed" in printed
    assert "They differ in their seed alone" in printed
    assert "As networks, on examples such as these: significantly better in BLEU" in printed
    assert "no: same experiment" in printed
    _, page, numbers = compared()
    assert "not significant: the same experiment, another seed" in page
    chrf = numbers["systems"][1]["scores"]["chrf"]
    assert max(chrf["bootstrap_p"], chrf["randomization_p"]) < 0.05
    assert chrf["difference"] > 0
    assert chrf["significant"] is False


def test_a_copy_under_another_name_is_the_same_experiment(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for seed, (name, damage) in enumerate((("lstm", 0.6), ("lstm_copy", 0.1)), start=1):
        write_run(name, predict(TEXTS, damage, seed), seed=seed)
    assert main(["compare", "lstm", "lstm_copy", *QUICK]) == 0
    assert "not significant: the same experiment, another seed" in capsys.readouterr().out


def test_equal_outputs_have_no_p_value(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runs = [write_run("lstm", predict(TEXTS, 0.4, 1), beam_size=size) for size in (1, 2)]
    assert main(["compare", *runs, *QUICK]) == 0
    printed = capsys.readouterr().out
    for label in ("BLEU", "chrF", "TER", "perplexity", r"edit distance \(words\)"):
        assert re.search(rf"{label} +│ 0\.0+ +│ - +│ - +│ - +│ no", printed), printed


def test_what_is_no_number_is_null_and_not_tested(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A diverged network's perplexity is beyond all numbers."""
    write_run("lstm", predict(TEXTS, 0.4, 1))
    write_run("gru", [replace(p, nll=1e5) for p in predict(TEXTS, 0.4, 1)], a=1)
    assert main(["compare", "lstm", "gru", *QUICK]) == 0
    assert "better" not in capsys.readouterr().out
    run = next(run for run in list_runs() if run.kind == "compare")
    text = Path(connect().download_artifacts(run.run_id, "compare.json")).read_text()
    numbers = json.loads(text, parse_constant=pytest.fail)
    found = numbers["systems"][1]["scores"]["perplexity"]
    assert [found[key] for key in ("score", "difference", "bootstrap_p", "significant")] == [None] * 4


def test_a_long_output_is_cut_in_the_terminal_and_whole_on_the_page(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    endless = "der Hund " * 100
    write_run("lstm", predict(TEXTS, 0.4, 1))
    write_run("gru", [replace(p, hypothesis=endless.strip()) for p in predict(TEXTS, 0.4, 1)], a=1)
    assert main(["compare", "lstm", "gru", *QUICK]) == 0
    printed = capsys.readouterr().out
    assert f"{endless[:199]}…\n" in printed
    assert max(map(len, printed.splitlines())) < 300
    assert f"{endless[:-1]}</mark>" in compared()[1]


COMMIT, OTHER = ("a" * 40, False), ("b" * 40, False)


@pytest.mark.parametrize(
    ("codes", "seeds", "says"),
    [
        ((COMMIT, COMMIT), (1, 1), ["the same seed again\n", "Nothing differs"]),
        ((COMMIT, OTHER), (1, 2), ["another seed, other code", "aaaaaaaa: lstm", "not known to be the same"]),
        ((COMMIT, OTHER), (1, 1), ["the same seed again, other code", "only several seeds of each can tell"]),
        ((("a" * 40, True), ("a" * 40, True)), (1, 2), ["another seed\n", "aaaaaaaa with uncommitted changes"]),
        ((None, None), (1, 2), ["another seed\n", "not known to be the same"]),
    ],
)
def test_only_what_is_the_same_is_said_to_be(
    folder: Path, capsys: pytest.CaptureFixture[str], codes: Any, seeds: tuple[int, int], says: list[str]
) -> None:
    runs = [
        write_run("lstm", predict(TEXTS, damage, seed), seed=seed, code=code)
        for seed, damage, code in zip(seeds, (0.6, 0.1), codes, strict=True)
    ]
    assert main(["compare", *runs, *QUICK]) == 0
    printed = capsys.readouterr().out
    assert "not significant: the same experiment" in printed
    assert all(words in printed for words in says), printed
    assert ("seed alone" in printed) is False


def test_code_is_compared_by_several_seeds(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, damage, code in (("before", 0.6, COMMIT), ("after", 0.1, OTHER)):
        for seed in (1, 2, 3):
            write_run(name, predict(TEXTS, damage, seed), seed=seed, code=code)
    assert main(["compare", "before", "after", *QUICK]) == 0
    printed = capsys.readouterr().out
    assert "after against before: significantly better in BLEU" in printed
    assert "aaaaaaaa: before (seed 1, 2, 3); bbbbbbbb: after (seed 1, 2, 3)" in printed


def test_a_network_asked_in_another_way_is_the_same(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run("lstm", predict(TEXTS, 0.6, 1), beam_size=1)
    beam = write_run("lstm", predict(TEXTS, 0.1, 1), kind="evaluate", parent=run, beam_size=5)
    assert main(["compare", run, beam, *QUICK]) == 0
    printed = capsys.readouterr().out
    assert "the same network: significantly better in BLEU" in printed
    assert "beam_size 1 → 5." in printed


def test_what_is_left_out_and_what_differs_is_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = write_run("lstm", predict(TEXTS, 0.6, 1), model={"init_args": {"size": 8}})
    for seed in (1, 2):
        write_run("lstm", predict(TEXTS, 0.6, seed), seed=seed, model={"init_args": {"size": 16}})
    write_run("gru", predict(TEXTS, 0.1, 1), model={"init_args": {"size": 32}})
    assert main(["compare", "lstm", "gru", *QUICK]) == 0
    printed = capsys.readouterr().out
    _, page, numbers = compared()
    for text in (printed, page, *numbers["notes"]):
        assert f"{old[:8]} (model.size 16 → 8)" in text
    assert "<h2>Settings that differ</h2>" in page
    first, second = numbers["systems"]
    assert first["left_out"] == {old: {"model.size": ["16", "8"]}}
    assert second["differences"] == {"model.size": ["16", "32"]}
    assert second["code"] == ["c0ffeec0"]
    assert second["scores"]["chrf"]["significant"] is True
    assert first["scores"]["chrf"]["significant"] is None


def test_perplexities_per_other_tokens_are_not_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_run("words", predict(TEXTS, 0.3, 1))
    cut = [p.__class__(**{**vars(p), "reference_tokens": 2 * p.reference_tokens}) for p in predict(TEXTS, 0.3, 1)]
    write_run("tokens", cut, tokenizer="other")
    assert main(["compare", "words", "tokens", *QUICK]) == 0
    assert "tokens differ" in capsys.readouterr().out
    _, _, numbers = compared()
    assert numbers["systems"][1]["scores"]["perplexity"]["margin"] is not None
    assert numbers["systems"][1]["scores"]["perplexity"]["bootstrap_p"] is None


def test_texts_cannot_break_the_page(folder: Path) -> None:
    nasty = ['<script>alert("x")</script> & "quotes"', *TEXTS[1:10]]
    write_run("lstm", predict(nasty, 0.0, 1))
    write_run("gru", predict(nasty, 0.9, 1), a=1)
    assert main(["compare", "lstm", "gru", "--bootstrap=9", "--randomizations=9", "--examples=40"]) == 0
    _, page, _ = compared()
    parser = Tags()
    parser.feed(page)
    assert not parser.open
    assert "script" not in parser.seen


def test_mistakes_are_said(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = write_run("lstm", predict(TEXTS, 0.3, 1))
    for words, says in (
        ([run, "--split=validation"], f"make evaluate RUN={run[:8]} SPLIT=validation"),
        ([run, "--examples=0"], "examples must be at least 1"),
    ):
        assert main(["compare", *words]) == 2
        assert says in capsys.readouterr().err
    assert main(["compare", run, *QUICK]) == 0  # one system: its intervals


def test_what_python_is_given_is_what_the_run_keeps(folder: Path) -> None:
    runs = [write_run(name, predict(TEXTS, damage, 1), a=name) for name, damage in (("lstm", 0.5), ("gru", 0.2))]
    comparison = compare(runs, examples=2, bootstrap=60, randomizations=60)
    assert main(["compare", *runs, *QUICK]) == 0
    assert json.loads(json.dumps(comparison.as_dict())) == compared()[2]
    gained = comparison.as_dict()["contrasting_examples"][0][0]
    assert gained["scores"][1] > gained["scores"][0]
    assert gained["references"][0] in TEXTS


def test_all_inputs_and_all_references_are_shown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name, damage in (("lstm", 0.5), ("gru", 0.2)):
        rich = [
            replace(p, inputs={"passage": f"long {p.row}", "question": "short"}, references=(*p.references, "or this"))
            for p in predict(TEXTS, damage, 1)
        ]
        write_run(name, rich, a=name)
    assert main(["compare", "lstm", "gru", *QUICK]) == 0
    printed, (_, page, _) = capsys.readouterr().out, compared()
    for text in (printed, page):
        assert all(words in text for words in ("passage", "long 1", "question", "or this"))


@dataclass(frozen=True)
class OtherTask:
    """What a comparison asks of a task."""

    usual_metrics: Callable[[], list[TextMetric]]
    headline: str
    closeup: str | None
    likelihood_class: type[Likelihood] = Likelihood


def test_the_task_names_the_scores(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = [write_run(name, predict(TEXTS, damage, 1), a=name) for name, damage in (("lstm", 0.5), ("gru", 0.2))]
    task = OtherTask(lambda: [WordErrorRate(), ExactMatch()], "exact_match", "wer")
    monkeypatch.setattr("s2s_lit.comparison.compute.task_named", lambda name: task)
    assert main(["compare", *runs, *QUICK]) == 0
    _, page, numbers = compared()
    assert list(numbers["systems"][0]["scores"]) == ["wer", "exact_match", "perplexity"]
    assert "WER by words in the source" in page
    assert list(numbers["wer"]) == ["words in the source", "occurrences in the split of the source's rarest word"]
    gained, *_, lost = numbers["contrasting_examples"][0]
    assert gained["scores"][1] < gained["scores"][0]  # fewer errors are a gain
    assert lost["scores"][1] > lost["scores"][0]


def test_texts_without_a_source_are_compared_by_what_they_cost(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def costs(factor: float) -> list[Prediction]:
        bare = {"inputs": {}, "hypothesis": "", "weights": None}
        return [replace(p, nll=factor * (p.nll or 0) + p.row % 3, **bare) for p in predict(TEXTS, 0.0, 1)]  # type: ignore[arg-type]

    runs = [write_run(name, costs(factor), a=name) for name, factor in (("lstm", 1.0), ("gru", 0.5))]
    monkeypatch.setattr(
        "s2s_lit.comparison.compute.task_named", lambda name: OtherTask(list, "perplexity", None, TextLikelihood)
    )
    assert main(["compare", *runs, *QUICK]) == 0
    assert "differ most (cost in nats)" in capsys.readouterr().out
    _, page, numbers = compared()
    first, second = (system["scores"] for system in numbers["systems"])
    assert list(first) == ["perplexity", "word_perplexity"]
    assert second["perplexity"]["significant"] is second["word_perplexity"]["significant"] is True
    assert first["word_perplexity"]["score"] == pytest.approx(first["perplexity"]["score"])  # a token is a word here
    assert "perplexity by words in the text" in page
    assert "<dt>source</dt>" not in page
    cheapest = numbers["contrasting_examples"][0][0]
    longest = max(TEXTS, key=lambda text: len(text.split()))
    assert len(cheapest["references"][0].split()) == len(longest.split())  # half of most is most


@pytest.mark.slow
def test_trained_experiments_are_told_apart_and_seeds_are_not(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Two networks always differ in perplexity; what is made of it depends on what the trainings logged."""
    (folder / "experiments").symlink_to(EXPERIMENTS)
    for experiment, seed in itertools.product(("lstm", "bilstm_attn"), (1, 2)):
        assert main(["train", experiment, *TINY, f"--seed={seed}"]) == 0
    for first, other in itertools.combinations(list_runs("tags.`s2s.kind` = 'train'"), 2):
        capsys.readouterr()
        assert main(["compare", first.run_id, other.run_id, *QUICK]) == 0
        verdict, basis = re.findall(r"^.* against [^:]*: (.*)\n(.*)", capsys.readouterr().out, re.MULTILINE)[0]
        told_apart = verdict if first.experiment != other.experiment else basis.partition("As networks")[2]
        assert re.search("significantly (better|worse) in [^;]*perplexity", told_apart), (verdict, basis)
        if first.experiment == other.experiment:
            assert verdict == "not significant: the same experiment, another seed"


def test_a_trained_run_keeps_what_a_comparison_needs(
    trained: RunRecord, in_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    predictions = read_predictions(trained.run_id, "test")
    nll, tokens = sum(p.nll or 0 for p in predictions), sum(p.reference_tokens for p in predictions)
    assert nll / tokens == pytest.approx(trained.metrics["test/loss"], rel=1e-5)
    pairs = tmp_path / "pairs.tsv"
    pairs.write_text("".join(f"{p.source}\t{p.reference}\n" for p in predictions))
    capsys.readouterr()
    assert main(["score", trained.run_id, "--in", str(pairs)]) == 0
    scored = [-float(line) for line in capsys.readouterr().out.splitlines()]
    assert [p.nll for p in predictions] == pytest.approx(scored, abs=1e-3)
    drawn = [(p.weights, p) for p in predictions if p.weights is not None]
    assert drawn  # outputs of an untrained network are long, and large matrices are not kept
    for weights, p in drawn:
        assert weights.shape == (len(p.target_tokens), len(p.input_tokens))
        torch.testing.assert_close(weights.sum(1), torch.ones(len(weights)), rtol=0, atol=weights.shape[1] / 510)
    assert main(["compare", trained.run_id, *QUICK]) == 0
    (system,) = compared()[2]["systems"]
    for name in ("bleu", "chrf", "ter", "edit_distance", "perplexity"):
        assert system["scores"][name]["score"] == pytest.approx(trained.metrics[f"test/{name}"], rel=1e-5), name
