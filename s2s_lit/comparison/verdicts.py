"""What a comparison allows to be said, in words: of each system against the first, and of what was compared."""

from __future__ import annotations

from collections.abc import Sequence

from s2s_lit.comparison.pairs import Pair
from s2s_lit.comparison.systems import System, code, in_words, same_code
from s2s_lit.metrics.score import Score

SAME = "no: same experiment"


def verdict(pair: Pair) -> str:
    """Whether the two differ, as one sentence."""
    said = f"{pair.other.name} against {pair.first.name}"
    if pair.same_experiment:
        return f"{said}: not significant: the same experiment, {_again(pair.first, pair.other)}"
    same = ", the same network" if pair.first.networks == pair.other.networks else ""
    findings = _findings(pair, {score: pair.significant(score) for score in pair.scores})
    return f"{said}{same}: {findings or 'nothing could be tested'}"


def basis(pair: Pair) -> str:
    """What the verdict rests on, and what it does not say."""
    counts = len(pair.first.runs), len(pair.other.runs)
    if pair.first.networks == pair.other.networks:
        return "The same network, so a difference is one of how it was asked, and holds for this network."
    if pair.same_experiment:
        return f"{_chance(pair.first, pair.other)} {_as_networks(pair)}"
    if counts == (1, 1):
        return "One trained network each: it holds for these two, and says nothing of other seeds."
    means = f"Means over {counts[1]} and {counts[0]} seeds, the same examples drawn for all of them"
    if min(counts) == 1:
        return f"{means}; one of the two has a single seed, so it says nothing of its other seeds."
    return f"{means}; and Welch's t-test between the seeds' scores: significant is what all three tests find."


def what_differs(pair: Pair) -> str:
    """The settings in which the two differ, as one line."""
    if not pair.differences:
        return "Settings: all the same."
    return f"Settings ({pair.first.name} → {pair.other.name}): {in_words(pair.differences)}."


def notes(systems: Sequence[System], without_likelihoods: Sequence[System], split: str) -> list[str]:
    """Which runs were left out, which commits made the runs if it is not one, and which runs keep too little."""
    said = [
        f"{system.name}: left out (give an id in RUNS to compare it): {'; '.join(map(str, system.left_out))}"
        for system in systems
        if system.left_out
    ]
    if not same_code(systems):
        said += _commits(systems)
    return said + [
        f"{system.name}: no likelihoods of examples are kept of it. make evaluate RUN={system.runs[0].run_id[:8]} "
        f"SPLIT={split} writes them, and attentions; then compare the evaluation's id."
        for system in without_likelihoods
    ]


def cells(pair: Pair, score: Score) -> list[str]:
    """The row of one score in a table of tests: difference, three p-values, significant or not.

    A dash stands for what could not be computed. Equal outputs are not tested, and perplexities per different tokens
    cannot be compared.
    """
    first, other = pair.scores[score]
    if first is None or other is None:
        return ["-"] * 5
    if not other.comparable or other.difference is None:
        return ["tokens differ", *["-"] * 4]
    tests = (other.tested.bootstrap_p, other.tested.randomization_p, other.seeds_p)
    values = ["-" if p is None else f"{p:.4f}" for p in tests]
    difference = score.printed(other.difference)
    signed = f"+{difference}" if other.difference > 0 else difference
    answer = {True: "yes", False: "no", None: "-"}[pair.significant(score)]
    return [signed, *values, SAME if pair.same_experiment and other.significant else answer]


def _findings(pair: Pair, findings: dict[Score, bool | None]) -> str:
    better: list[str] = []
    worse: list[str] = []
    alike: list[str] = []
    for score, significant in findings.items():
        _, other = pair.scores[score]
        if other is None or other.difference is None or significant is None:
            continue
        above = other.difference > 0
        (alike if not significant else better if above == score.higher_is_better else worse).append(score.label)
    said = [
        ("significantly better in", better),
        ("significantly worse in", worse),
        ("no significant difference in", alike),
    ]
    return "; ".join(f"{what} {', '.join(labels)}" for what, labels in said if labels)


def _as_networks(pair: Pair) -> str:
    """What the tests over examples say of the trained networks, where they say nothing of the experiment."""
    findings = {score: None if other is None else other.significant for score, (_, other) in pair.scores.items()}
    return f"As networks, on examples such as these: {_findings(pair, findings) or 'not tested'}."


def _again(first: System, other: System) -> str:
    if first.seeds.isdisjoint(other.seeds):
        seeds = "another seed"
    else:
        seeds = "the same seed again" if first.networks.isdisjoint(other.networks) else "partly the same networks"
    return seeds if len(first.code | other.code) == 1 else f"{seeds}, other code"


def _chance(first: System, other: System) -> str:
    if not same_code([first, other]):
        return (
            "Their settings are the same, so a difference is chance of training, or made by the code, which is not "
            "known to be the same: only several seeds of each can tell."
        )
    seeds = "They differ in their seed alone" if first.seeds.isdisjoint(other.seeds) else "Nothing differs"
    return f"{seeds}: a difference is chance of training, not of the experiment."


def _commits(systems: Sequence[System]) -> list[str]:
    """Which commits made which runs; nothing if none was recorded."""
    made: dict[str, dict[str, list[str]]] = {}
    for system in systems:
        for run in system.runs:
            made.setdefault(code(run), {}).setdefault(system.name, []).append(run.params.get("seed", "?"))
    if set(made) == {""}:
        return []
    if len(made) == 1:
        return [
            f"All were made by commit {next(iter(made))}; these may not be the same (uncommitted.diff of each run)."
        ]
    said = []
    for commit, runs in made.items():
        named = ", ".join(f"{name} (seed {', '.join(seeds)})" for name, seeds in runs.items())
        said.append(f"{commit or 'not recorded'}: {named}")
    return [f"They were not made by one commit. {'; '.join(said)}."]
