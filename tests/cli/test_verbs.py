"""The verbs on a tiny run: what a run keeps, that a score comes back exactly, how mistakes end."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
import torch
import yaml
from mlflow.tracking import MlflowClient

from s2s_lit.__main__ import main
from s2s_lit.config.build import load
from s2s_lit.data.batching.collate import collate
from s2s_lit.data.fields.fields import Fields
from s2s_lit.tracking.client.runs import RunRecord, connect, download_checkpoint, list_runs
from s2s_lit.types import Batch, Example
from support.tiny import TINY

SCORES = ("loss", "perplexity", "token_accuracy", "sequence_accuracy", "bleu", "chrf", "ter", "edit_distance")


@pytest.fixture
def client(in_project: Path) -> MlflowClient:
    return connect()


def artifacts(client: MlflowClient, run_id: str, folder: str = "") -> set[str]:
    found = set()
    for file in client.list_artifacts(run_id, folder or None):
        found |= artifacts(client, run_id, file.path) if file.is_dir else {file.path}
    return found


def test_a_run_keeps_what_it_takes_to_repeat_and_to_judge_it(trained: RunRecord, client: MlflowClient) -> None:
    assert trained.status == "FINISHED"
    assert {f"{split}/{score}" for split in ("val", "test") for score in SCORES} <= trained.metrics.keys()
    kept = artifacts(client, trained.run_id)
    assert {"config.yaml", "checkpoints/best.ckpt", "predictions/test.jsonl", "data_report.json"} <= kept
    assert {"vocabulary/source.txt", "samples/test.json", "samples/validation.json"} <= kept
    assert any(path.startswith("attention/") and path.endswith(".png") for path in kept)
    assert sum(path.endswith(".ckpt") for path in kept) == 1
    assert trained.params["model.encoder.bidirectional"] == "True"
    assert "tok:13a" in trained.tags["s2s.signature.bleu"]
    assert {"s2s.command", "s2s.version.torch", "s2s.machine.cpu"} <= trained.tags.keys()


def test_step_metrics_stand_at_every_optimizer_step(trained: RunRecord, client: MlflowClient) -> None:
    for name in ("loss", "learning_rate", "gradient_norm", "tokens_per_second"):
        history = client.get_metric_history(trained.run_id, f"train/{name}")
        assert len(history) == 6, name
        assert len({point.step for point in history}) == 6, name
    assert [p.step for p in client.get_metric_history(trained.run_id, "val/bleu")] == [
        p.step for p in client.get_metric_history(trained.run_id, "val/loss")
    ]


def test_predictions_are_all_sentences_in_the_files_order(trained: RunRecord, client: MlflowClient) -> None:
    from s2s_lit.corpora.captions.generate import generate

    path = client.download_artifacts(trained.run_id, "predictions/test.jsonl")
    lines = [json.loads(line) for line in Path(path).read_text().splitlines()]
    assert [line["inputs"]["source"] for line in lines] == [row["en"] for row in generate("test", rows=30)]


def test_evaluating_again_gives_the_logged_scores_exactly(
    trained: RunRecord, in_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", trained.run_id[:8]]) == 0
    again = next(run for run in list_runs() if run.kind == "evaluate")
    assert again.tags["mlflow.parentRunId"] == trained.run_id
    assert again.tags["s2s.command"].endswith(f"-m s2s_lit evaluate {trained.run_id} --split=test")
    for score in SCORES:
        assert again.metrics[f"test/{score}"] == trained.metrics[f"test/{score}"], score
    assert "logged before" in capsys.readouterr().out


def test_evaluating_another_split_names_it(trained: RunRecord, in_project: Path) -> None:
    assert main(["evaluate", trained.run_id, "--split=test_long", "--task.search.beam_size=2"]) == 0
    run = next(run for run in list_runs() if run.kind == "evaluate")
    assert "test_long/bleu" in run.metrics
    assert "test/bleu" not in run.metrics


def test_translating_a_text_a_file_and_n_best(
    trained: RunRecord, in_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = ["A man reads a book.", "", "The dog sleeps in the garden and the cat sees a bird."]
    source, target = tmp_path / "in.txt", tmp_path / "out.txt"
    source.write_text("\n".join(lines) + "\n")
    assert main(["translate", "latest", "--in", str(source), "--out", str(target)]) == 0
    translated = target.read_text().splitlines()
    assert len(translated) == 3
    assert translated[1] == ""
    capsys.readouterr()
    for number in (0, 2):  # an empty --text is refused
        assert main(["translate", "latest", "--text", lines[number]]) == 0
        assert capsys.readouterr().out.rstrip("\n") == translated[number]
    assert main(["translate", "latest", "--text", lines[0], "--n_best", "3"]) == 0
    rows = [row.split("\t") for row in capsys.readouterr().out.splitlines()]
    assert [row[0] for row in rows] == ["1"] * 3
    scores = [float(row[1]) for row in rows]
    assert scores == sorted(scores, reverse=True)
    assert rows[0][2] == translated[0]


def test_a_file_is_translated_and_scored_block_by_block(
    trained: RunRecord, in_project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In batches of the configured size; what is done before a mistake stays."""
    sources = ["A man reads a book.", "A dog.", "The cat sees a bird.", "", "A child sleeps in the garden."]
    source, pairs, whole, output = (tmp_path / name for name in ("in.txt", "pairs.tsv", "whole.txt", "out.txt"))
    source.write_text("".join(f"{line}\n" for line in sources))
    pairs.write_text("".join(f"{line}\tEin Hund.\n" for line in sources))
    commands = {"translate": ["--in", str(source), "--n_best=2"], "score": ["--in", str(pairs), "--tokens"]}
    rooms = {"translate": "generator", "score": "scoring"}
    for verb, words in commands.items():
        assert main([verb, "latest", *words, "--out", str(whole)]) == 0
        sizes: list[int] = []

        def counted(examples: Sequence[Example], fields: Fields, sizes: list[int] = sizes) -> Batch:
            sizes.append(len(examples))
            return collate(examples, fields)

        with monkeypatch.context() as patch:
            patch.setattr(f"s2s_lit.inference.{rooms[verb]}.collate", counted)
            assert main([verb, "latest", *words, "--data.eval_batch_size=2", "--out", str(output)]) == 0
        assert max(sizes) == 2
        expected = [line.split("\t") for line in whole.read_text().splitlines()]
        with monkeypatch.context() as patch:
            patch.setattr("s2s_lit.cli.lines._AT_ONCE", 40)
            assert main([verb, "latest", *words, "--out", str(output)]) == 0
            found = [line.split("\t") for line in output.read_text().splitlines()]
            assert [row[0] for row in found] == [row[0] for row in expected]
            if verb == "translate":
                assert [row[2] for row in found] == [row[2] for row in expected]
            file = Path(words[1])
            file.write_bytes(file.read_bytes() + b"\xff\n")
            assert main([verb, "latest", *words, "--out", str(output)]) == 2
            assert len(output.read_text().splitlines()) > len(expected) / 2


def test_an_ensemble_of_a_run_with_itself_translates_and_scores_as_the_run(
    trained: RunRecord, in_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = trained.run_id
    words = ["--text", "A man reads a book.", "--n_best", "2", "--prefix", "Ein"]
    assert main(["translate", run, "--task.search.beam_size", "3", *words]) == 0
    alone = capsys.readouterr().out
    assert main(["translate", run, run, "--task.search.beam_size", "3", *words]) == 0
    assert capsys.readouterr().out == alone
    (_, log_prob, text), *_ = [line.split("\t") for line in alone.splitlines()]
    assert text.startswith("Ein")
    assert float(log_prob) < 0


def test_given_pairs_are_scored_from_one_file_or_two_and_by_token(
    trained: RunRecord, in_project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pairs = [("The dog sleeps in the garden.", "Der Hund schläft im Garten."), ("A man.", "Ein Mann."), ("A cat", "")]
    both, sources, targets, output = (tmp_path / name for name in ("pairs.tsv", "in.txt", "ref.txt", "out.txt"))
    both.write_text("".join(f"{source}\t{target}\n" for source, target in pairs))
    sources.write_text("".join(f"{source}\n" for source, _ in pairs))
    targets.write_text("".join(f"{target}\n" for _, target in pairs))
    assert main(["score", "latest", "--in", str(both)]) == 0
    scores = [float(line) for line in capsys.readouterr().out.splitlines()]
    assert main(["score", "latest", "latest", "--in", str(sources), "--targets", str(targets), f"--out={output}"]) == 0
    assert [float(line) for line in output.read_text().splitlines()] == pytest.approx(scores, abs=2e-4)
    assert main(["score", "latest", "--in", str(both), "--tokens"]) == 0
    rows = [line.split("\t") for line in capsys.readouterr().out.splitlines()]
    for number, score in enumerate(scores, 1):
        own = [row for row in rows if row[0] == str(number)]
        assert own[-1][1] == "</s>"
        assert sum(float(row[2]) for row in own) == pytest.approx(score, abs=1e-4 * len(own))
    both.write_text("no tab\n")
    assert main(["score", "latest", "--in", str(both)]) == 2
    assert "line 1" in capsys.readouterr().err


def test_what_cannot_be_searched_for_is_said(
    trained: RunRecord, in_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, says in (
        (["--prefix", "Ein Mann " * 20], "max_length_offset"),
        (["--prefix", "Ein 犬"], "has no '犬'"),
        (["--prefix", "Ein \udcff"], "--prefix is not UTF-8"),
        (["--text", "A \udcff"], "--text is not UTF-8"),
        (["--text", " "], "--text (TEXT) is empty"),
        (["--task.replace_unknown", "true"], "such as Words"),
    ):
        assert main(["translate", "latest", "--text", "A man.", *words]) == 2
        assert says in capsys.readouterr().err


def test_a_line_without_a_token_stays_empty(
    trained: RunRecord, in_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A zero-width space is no white space to Python, but to us."""
    assert main(["translate", "latest", "--text", "\u200b"]) == 0
    assert capsys.readouterr().out == "\n"


def test_a_checkpoint_carries_all_that_is_needed(trained: RunRecord, in_project: Path) -> None:
    path = download_checkpoint(trained)
    content = torch.load(path, weights_only=True)
    assert yaml.safe_load(content["s2s_lit"]["config"])["experiment"] == "bilstm_attn"
    _, task = load(path)
    for name, value in task.state_dict().items():
        assert torch.equal(value, content["state_dict"][name])
    assert not task.training


def test_a_torn_checkpoint_is_named(tmp_path: Path) -> None:
    from s2s_lit.errors import UserError

    torn = tmp_path / "best.ckpt"
    torn.write_bytes(b"PK\x03\x04 half")
    with pytest.raises(UserError, match=f"{torn} is not a readable checkpoint"):
        load(torn)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["train", "bilstm_atn"], "did you mean EXP=bilstm_attn?"),
        (["train", "lstm", "--seeed=1"], "did you mean seed?"),
        (["translate", "nosuchrun", "--text=x"], "RUN=nosuchrun"),
        (["generate", "latest"], "this run reads source, so give it some: make translate RUN=latest IN=FILE\n"),
        (["translate", "latest", "--in=/no/such/file"], "s2s: error: /no/such/file: No such file or directory\n"),
        (["translate", "latest", "--text=x", "--out=/dev/full"], "s2s: error: No space left on device\n"),
        (["train", "lstm", "--dataset=multi30k", "--data_dir=/no/such/folder"], "/no/such/folder"),
        (["evaluate", "latest", "--split=tset"], "tset"),
    ],
)
def test_mistakes_end_with_one_message_and_a_status(
    trained: RunRecord, in_project: Path, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 2
    error = capsys.readouterr().err
    assert says in error
    assert "Traceback" not in error


def test_a_run_that_fails_is_marked_failed(
    trained: RunRecord, in_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "lstm", "--data.corpus.train_rows=50", "--data.columns.source=english"]) == 2
    assert "'english'" in capsys.readouterr().err
    run = list_runs()[0]
    assert (run.experiment, run.status) == ("lstm", "FAILED")


def test_a_stream_trains_too(trained: RunRecord, in_project: Path) -> None:
    words = ["train", "lstm", *TINY, "--data.streaming=true", "--trainer.max_steps=2"]
    assert main(words) == 0
    run = list_runs()[0]
    assert (run.experiment, run.status, run.params["data.streaming"]) == ("lstm", "FINISHED", "True")


def test_without_a_known_length_max_steps_alone_ends_training(trained: RunRecord, client: MlflowClient) -> None:
    batches = ["--data.batcher=TokenBudget", "--data.batcher.max_tokens=200"]
    assert main(["train", "lstm", *TINY, *batches, "--trainer.max_steps=7"]) == 0  # two epochs would be six
    assert client.get_metric_history(list_runs()[0].run_id, "train/loss")[-1].step == 7


def test_a_stream_without_an_end_needs_one(
    trained: RunRecord, in_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "lstm", *TINY, "--data.streaming=true", "--trainer.limit_train_batches=null"]) == 2
    assert "trainer.max_steps" in capsys.readouterr().err


def test_accumulation_logs_each_optimizer_step_once(trained: RunRecord, client: MlflowClient) -> None:
    assert main(["train", "lstm", *TINY, "--trainer.accumulate_grad_batches=2"]) == 0
    run = list_runs()[0]
    for name in ("loss", "learning_rate", "gradient_norm", "tokens_per_second"):
        steps = [point.step for point in client.get_metric_history(run.run_id, f"train/{name}")]
        assert steps == [1, 2, 3, 4], name  # three batches an epoch: the second step has the last one alone
    assert [point.step for point in client.get_metric_history(run.run_id, "val/bleu")] == [2, 4]


def test_the_last_weights_are_scored_in_an_epoch_that_is_not_due(trained: RunRecord, client: MlflowClient) -> None:
    assert main(["train", "lstm", *TINY, "--trainer.check_val_every_n_epoch=5", "--trainer.max_steps=4"]) == 0
    assert [point.step for point in client.get_metric_history(list_runs()[0].run_id, "val/bleu")] == [4]


def test_a_monitor_that_validation_does_not_give_is_refused_before_training(
    trained: RunRecord, in_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "lstm", *TINY, "--monitor=val/blue"]) == 2
    assert "there are: val/loss" in capsys.readouterr().err


def test_a_precision_that_is_not_supported_is_refused_before_training(
    trained: RunRecord, in_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "lstm", *TINY, "--trainer.precision=bf16-true"]) == 2
    assert "trainer.precision=bf16-true is not supported: take one of 32-true, bf16" in capsys.readouterr().err


def test_weights_that_do_not_fit_a_changed_model_are_refused(
    trained: RunRecord, in_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "bilstm_attn", "--model.encoder.bidirectional=false"]) == 2
    assert "do not fit" in capsys.readouterr().err


def test_unknown_words_are_taken_from_the_source_and_vocabularies_of_an_ensemble_are_one(
    trained: RunRecord, in_project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = [word for word in TINY if "vocab_size" not in word]
    learns = ["--task.optimizer.lr=0.1", "--task.schedule.warmup_steps=0"]  # that nearly all words are unknown
    few = [f"--data.fields.{name}.tokenizer.vocabulary.top_k=5" for name in ("source", "target")]
    assert main(["train", "replace_unknown", *settings, *learns, *few]) == 0
    run, line = list_runs()[0], "Zoe visits Kyoto"
    capsys.readouterr()
    words = ["translate", run.run_id, "--text", line, "--task.search.min_length", "4"]
    assert main([*words, "--task.replace_unknown", "false"]) == 0
    plain = capsys.readouterr().out
    assert main(words) == 0
    replaced = capsys.readouterr().out
    assert "⁇" in plain
    assert "⁇" not in replaced
    assert any(word in replaced for word in line.split())
    assert main(["translate", run.run_id, trained.run_id, "--text", line]) == 2
    error = capsys.readouterr().err
    assert "different source vocabularies" in error
    assert trained.run_id[:8] in error
    assert run.run_id[:8] in error
