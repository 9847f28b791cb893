"""A language model by the verbs: it is trained, evaluated, compared and scored as all else, and generates texts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from s2s_lit.__main__ import main
from s2s_lit.tracking.client.runs import RunRecord, connect, list_runs
from support.tiny import TINY_LANGUAGE_MODEL

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
STEPS = ["--trainer.max_epochs=-1", "--trainer.max_steps=6"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("language_model")
    (folder / "experiments").symlink_to(EXPERIMENTS)
    return folder


@pytest.fixture(scope="module")
def made(folder: Path) -> RunRecord:
    """A tiny run on contiguous text."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        assert main(["train", "lm_contiguous", *TINY_LANGUAGE_MODEL, *STEPS]) == 0
        (run,) = list_runs()
        return run


@pytest.fixture
def run(made: RunRecord, folder: Path, monkeypatch: pytest.MonkeyPatch) -> RunRecord:
    monkeypatch.chdir(folder)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    return made


def generated(words: list[str], capsys: pytest.CaptureFixture[str]) -> list[str]:
    capsys.readouterr()
    assert main(["generate", "lm_contiguous", *words]) == 0
    return capsys.readouterr().out.splitlines()


def test_texts_are_generated(run: RunRecord, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--count=3", "--task.search.temperature=0.5"]
    texts = generated(words, capsys)
    assert len(texts) == 3
    assert generated(words, capsys) == texts
    assert generated([*words, "--task.search.seed=2"], capsys) != texts
    assert all(text.startswith("Ein") for text in generated([*words, "--prefix=Ein"], capsys))


def test_the_run_shows_texts(run: RunRecord) -> None:
    path = connect().download_artifacts(run.run_id, "samples/generated.txt")
    assert len(Path(path).read_text().splitlines()) == 8


def test_evaluating_again_gives_the_logged_scores_exactly(run: RunRecord) -> None:
    assert main(["evaluate", run.run_id]) == 0
    again = next(each for each in list_runs() if each.kind == "evaluate")
    for score in ("loss", "perplexity", "word_perplexity"):
        assert again.metrics[f"test/{score}"] == run.metrics[f"test/{score}"], score


def test_lines_are_scored(run: RunRecord, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Those of a joined text cost what the run's predictions say."""
    predictions = Path(connect().download_artifacts(run.run_id, "predictions/test.jsonl")).read_text()
    first = json.loads(predictions.splitlines()[0])
    assert first["references"][0].count("\n") > 2
    file = tmp_path / "texts.txt"
    file.write_text("Ein Mann liest.\nEin Hund.\n")
    capsys.readouterr()
    assert main(["score", "lm_contiguous", "--in", str(file)]) == 0
    scores = [float(line) for line in capsys.readouterr().out.splitlines()]
    assert main(["score", "lm_contiguous", "--in", str(file), "--tokens"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    for number, score in enumerate(scores, 1):
        own = [float(log_prob) for of, _, log_prob in rows if of == str(number)]
        assert sum(own) == pytest.approx(score, abs=1e-3)


def test_it_is_compared_by_what_texts_cost(run: RunRecord, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", run.run_id, "--bootstrap=20", "--randomizations=20"]) == 0
    assert "perplexity" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (
            ["translate", "lm_contiguous", "--text=x"],
            "reads no input, so it only generates: make generate RUN=lm_contiguous\n",
        ),
        (["translate", "latest", "latest", "--text=x"], "make generate RUN='latest latest'\n"),
        (["generate", "latest", "--count=0"], "--count must be at least 1, not 0"),
        (["score", "latest", "--targets=Makefile"], "give its texts by --in alone"),
    ],
)
def test_mistakes_name_the_remedy(
    run: RunRecord, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    assert says in capsys.readouterr().err
