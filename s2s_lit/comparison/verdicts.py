"""What a comparison allows to be said, in words: of each system against the first, and of what was compared."""

from __future__ import annotations

from s2s_lit.comparison.results import PERPLEXITY, Comparison
from s2s_lit.comparison.systems import System, code, in_words, same_code
from s2s_lit.metrics.score import Score

SAME = "no: same experiment"


def verdict(comparison: Comparison, index: int) -> str:
    """The answer about system `index`, as one sentence."""
    first, other = comparison.systems[0], comparison.systems[index]
    said = f"{other.name} against {first.name}"
    if comparison.chance_alone(index):
        return f"{said}: not significant: the same experiment, {_again(first, other)}"
    same = ", the same network" if first.networks == other.networks else ""
    findings = {s: comparison.significant(s, index) for s in comparison.scores}
    return f"{said}{same}: {_findings(comparison, index, findings) or 'nothing could be tested'}"


def basis(comparison: Comparison, index: int) -> str:
    """What the verdict on system `index` is based on, and what it does not say."""
    first, other = comparison.systems[0], comparison.systems[index]
    counts = len(first.runs), len(other.runs)
    if first.networks == other.networks:
        return "The same network, so a difference is one of how it was asked, and holds for this network."
    if comparison.chance_alone(index):
        return f"{_chance(first, other)} {_as_networks(comparison, index)}"
    if counts == (1, 1):
        return "One trained network each: it holds for these two, and says nothing of other seeds."
    means = f"Means over {counts[1]} and {counts[0]} seeds, the same sentences drawn for all of them"
    if min(counts) == 1:
        return f"{means}; one of the two has a single seed, so it says nothing of its other seeds."
    return f"{means}; and Welch's t-test between the seeds' scores: significant is what all three tests find."


def what_differs(comparison: Comparison, index: int) -> str:
    """The settings in which system `index` differs from the first, as one line."""
    settings = comparison.differences(index)
    if not settings:
        return "Settings: all the same."
    names = comparison.systems[0].name, comparison.systems[index].name
    return f"Settings ({' → '.join(names)}): {in_words(settings)}."


def notes(comparison: Comparison) -> list[str]:
    """What was left out, whose code made the runs if that is not one commit, and what runs keep too little for."""
    said = [
        f"{system.name}: left out (give an id in RUNS to compare it): {'; '.join(map(str, system.left_out))}"
        for system in comparison.systems
        if system.left_out
    ]
    if not same_code(comparison.systems):
        said += _whose_code(comparison.systems)
    return said + [
        f"{system.name}: no likelihoods of sentences are kept of it. make evaluate RUN={system.runs[0].run_id[:8]} "
        f"SPLIT={comparison.split} writes them, and attentions; then compare the evaluation's id."
        for system, entry in zip(comparison.systems, comparison.table[PERPLEXITY.name], strict=True)
        if entry is None
    ]


def cells(comparison: Comparison, score: Score, index: int) -> list[str]:
    """Of system `index` against the first: difference, three p-values, significant or not; dashes for what is not.

    Equal outputs are not tested. Perplexities of differently cut references cannot be compared.
    """
    first, entry = comparison.table[score.name][0], comparison.table[score.name][index]
    if first is None or entry is None:
        return ["-"] * 5
    if not entry.comparable or entry.difference is None:
        return ["tokens differ", *["-"] * 4]
    tests = (entry.tested.bootstrap_p, entry.tested.randomization_p, entry.seeds_p)
    values = ["-" if p is None else f"{p:.4f}" for p in tests]
    difference = score.printed(entry.difference)
    signed = f"+{difference}" if entry.difference > 0 else difference
    answer = {True: "yes", False: "no", None: "-"}[comparison.significant(score, index)]
    return [signed, *values, SAME if comparison.chance_alone(index) and entry.significant else answer]


def _findings(comparison: Comparison, index: int, findings: dict[Score, bool | None]) -> str:
    better: list[str] = []
    worse: list[str] = []
    alike: list[str] = []
    for score, significant in findings.items():
        entry = comparison.table[score.name][index]
        if entry is None or entry.difference is None or significant is None:
            continue
        above = entry.difference > 0
        (alike if not significant else better if above == score.higher_is_better else worse).append(score.label)
    said = [
        ("significantly better in", better),
        ("significantly worse in", worse),
        ("no significant difference in", alike),
    ]
    return "; ".join(f"{what} {', '.join(labels)}" for what, labels in said if labels)


def _as_networks(comparison: Comparison, index: int) -> str:
    """What the p-values over sentences say where they say nothing of the experiment."""
    found = {
        score: None if entry is None else entry.significant
        for score in comparison.scores
        for entry in [comparison.table[score.name][index]]
    }
    return f"As networks, on sentences such as these: {_findings(comparison, index, found) or 'not tested'}."


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
    return f"{seeds}: a difference is chance of training, none of the experiment."


def _whose_code(systems: list[System]) -> list[str]:
    """Which commits made which runs; nothing where none was recorded."""
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
