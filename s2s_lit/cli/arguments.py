"""The arguments of every verb. Only what is light is imported: `--help` answers at once."""

from __future__ import annotations

import argparse
from pathlib import Path

from s2s_lit import __version__
from s2s_lit.config.resumable import MAY_CHANGE

TRAINED = (
    "Any further --KEY VALUE changes the configuration: --trainer.max_epochs 3, --model.encoder.dropout 0.1, --seed 7. "
    "--start_from RUN begins with that run's best weights and its vocabularies. --help_config lists every key."
)

SEARCHED = (
    "Any further --KEY VALUE changes the run's configuration: --task.search.beam_size 10, --task.search GreedySearch, "
    "--data.eval_batch_size 16"
)

RESUMED = f"Further --KEY VALUE change the rest of the training. These may change: {', '.join(MAY_CHANGE)}"

CONFIGURABLE = ("train", "resume", "evaluate", "translate", "generate", "score")
"""Verbs that take changes of the configuration; the others refuse what they do not know."""


def make_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="s2s", description="Train, compare and tune recurrent seq2seq models.")
    parser.add_argument("--version", action="version", version=f"s2s {__version__}")
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")

    add_training(verbs)
    add_using(verbs)
    add_comparing(verbs)
    add_sweeps(verbs)
    verbs.add_parser("experiments", help="list what can be trained, and on which data")
    parts = verbs.add_parser("parts", help="list every part that an experiment can name, or tell all about one")
    parts.add_argument("name", nargs="?", help="a kind (attention, recurrence, schedule, ...) or a part's name")
    add_tracking(verbs)
    return parser


def add_training(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verbs that train or score a run."""
    train = verbs.add_parser("train", help="train an experiment, score it, log it", epilog=TRAINED)
    train.add_argument("experiment", help="name of a file in experiments/, e.g. bilstm_attn")
    train.add_argument("--dataset", default="builtin", help="name of a file in experiments/data/ (default: builtin)")
    train.add_argument("--data_dir", help="folder of the data's files; without --dataset it is looked at and told")
    train.add_argument("--print_config", action="store_true", help="print the composed configuration and stop")
    train.add_argument("--help_config", action="store_true", help="list every configuration key and stop")

    resume = verbs.add_parser("resume", help="go on with a training that was stopped", epilog=RESUMED)
    resume.add_argument("run", help="latest (the newest one that can go on), an experiment's name or a run id")
    resume.add_argument("--dataset", help="look only among the runs on this data")

    evaluate = verbs.add_parser("evaluate", help="score a finished run again", epilog=SEARCHED)
    evaluate.add_argument("run", help="latest, best, an experiment's name (its best run) or a run id")
    evaluate.add_argument("--split", default="test", help="split of the run's data (default: test)")
    evaluate.add_argument("--data_dir", help="local folder to read instead of where the run's data lay")
    evaluate.add_argument("--dataset", help="look only among the runs on this data")


def add_using(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verbs that use trained models."""
    translate = verbs.add_parser("translate", help="translate with a finished run, or several", epilog=SEARCHED)
    add_models(translate)
    translate.add_argument("--text", help="one sentence")
    translate.add_argument("--in", dest="source", type=Path, help="file, one sentence a line (default: standard input)")
    translate.add_argument("--out", dest="target", type=Path, help="file to write (default: standard output)")
    translate.add_argument(
        "--n_best", type=int, default=1, help="translations a sentence, above 1 with scores (default: 1)"
    )
    translate.add_argument("--prefix", default="", help="words with which every translation shall begin")

    generate = verbs.add_parser("generate", help="texts from a finished run that reads no input", epilog=SEARCHED)
    add_models(generate)
    generate.add_argument("--count", type=int, default=1, help="how many texts (default: 1)")
    generate.add_argument("--prefix", default="", help="words with which every text shall begin")
    generate.add_argument("--out", dest="target", type=Path, help="file to write (default: standard output)")

    score = verbs.add_parser("score", help="log-probabilities of given targets", epilog=SEARCHED)
    add_models(score)
    score.add_argument(
        "--in",
        dest="pairs",
        type=Path,
        help="file of pairs, tab between; of texts, if the run reads no input (default: standard input)",
    )
    score.add_argument("--targets", type=Path, help="file of targets; then --in has the sources alone")
    score.add_argument("--out", dest="output", type=Path, help="file to write (default: standard output)")
    score.add_argument("--tokens", action="store_true", help="one line for each token: pair, token, log-probability")


def add_comparing(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verbs that look at what was trained."""
    compare = verbs.add_parser("compare", help="compare finished runs: are the differences real, and where are they")
    compare.add_argument(
        "run", nargs="+", help="experiments' names (all their seeds) or run ids; the first is compared with"
    )
    compare.add_argument("--split", default="test", help="whose predictions (default: test)")
    compare.add_argument("--dataset", help="look only among the runs on this data")
    compare.add_argument("--examples", type=int, default=5, help="shown on each side of the differences (default: 5)")
    compare.add_argument("--bootstrap", type=int, default=1000, help="resamples of the examples (default: 1000)")
    compare.add_argument("--randomizations", type=int, default=10000, help="trials of that test (default: 10000)")

    neighbours = verbs.add_parser("neighbours", help="list the tokens nearest to a word in a trained run")
    neighbours.add_argument("run", help="latest, best, an experiment's name (its best run) or a run id")
    neighbours.add_argument("--dataset", help="look only among the runs on this data")
    neighbours.add_argument("--word", required=True, help="a word or a token")
    neighbours.add_argument("--side", choices=("source", "target"), default="source", help="whose (default: source)")
    neighbours.add_argument("--count", type=int, default=10, help="how many (default: 10)")


def add_tracking(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verbs about the store of runs."""
    register = verbs.add_parser("register", help="make a run's best checkpoint a version of a registered model")
    register.add_argument("run", help="latest, best, an experiment's name (its best run) or a run id")
    register.add_argument("name", help="the registered model's name")
    register.add_argument("--alias", default="champion", help="goes to it if significantly better (default: champion)")
    register.add_argument("--split", default="test", help="on whose predictions that is tested (default: test)")
    register.add_argument("--dataset", help="look only among the runs on this data")

    sync = verbs.add_parser("sync", help="send what waits on this disk because a tracking store was away")
    sync.add_argument("run", nargs="?", help="id of a run, or its beginning (default: all)")

    ui = verbs.add_parser("ui", help="open the MLflow UI over the same store, on localhost")
    ui.add_argument("--port", type=port, default=5000)


def add_models(verb: argparse.ArgumentParser) -> None:
    """The arguments of a verb that uses trained models."""
    verb.add_argument("run", nargs="+", help="latest, best, an experiment's name or a run id; several are an ensemble")
    verb.add_argument("--dataset", help="look only among the runs on this data")
    verb.add_argument(
        "--mean",
        choices=("probabilities", "log_probabilities"),
        default="probabilities",
        help="what an ensemble averages (default: probabilities)",
    )


def add_sweeps(verbs: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """The verbs that need Optuna."""
    sweep = verbs.add_parser(
        "sweep", help="search settings with many trials; without a name, list what can be searched"
    )
    sweep.add_argument("name", nargs="?", help="name of a file in sweeps/, e.g. dropout_schedule_batching")
    sweep.add_argument("--trials", type=int, help="trials the study shall have (default: what the file says)")
    sweep.add_argument("--data_dir", help="folder of the data's files, or of a copy of the Hub's repository")
    sweep.add_argument("--workers", type=int, default=1, help="trials at a time on this machine (default: 1)")
    add_study(sweep)
    sweep.add_argument(
        "--ablate", action="store_true", help="train the best point with one factor at a time as it was before"
    )
    sweep.add_argument("--out", type=Path, help="file for the best experiment (default: experiments/STUDY_best.yaml)")

    doctor = verbs.add_parser("sweep-doctor", help="look for what crashed sweeps have left behind")
    add_study(doctor)
    doctor.add_argument("--mend", action="store_true", help="mend what can be mended")

    dashboard = verbs.add_parser("dashboard", help="open optuna-dashboard over the studies, on localhost")
    dashboard.add_argument("--port", type=port, default=8080)
    add_storage(dashboard)

    trial = verbs.add_parser("trial")  # what a sweep's supervisor starts
    trial.add_argument("work", type=Path)


def add_study(verb: argparse.ArgumentParser) -> None:
    """The arguments of a verb that uses a study."""
    verb.add_argument("--study", help="name of the study (default: that of the sweep)")
    add_storage(verb)


def add_storage(verb: argparse.ArgumentParser) -> None:
    """The argument of a verb that uses studies."""
    verb.add_argument(
        "--storage",
        default="sqlite:///sweeps.db",
        help="where studies lie: sqlite:///FILE (default: sweeps.db here); for several machines postgresql://..., mysql://...",
    )


def port(text: str) -> int:
    """The number of a port, as argparse wants it checked."""
    if not text.isdecimal() or not 0 < int(text) < 2**16:
        raise argparse.ArgumentTypeError(f"a port is a number from 1 to 65535, not {text}")
    return int(text)
