"""Whether a run takes the champion's place: it must be proven better on the same examples."""

from __future__ import annotations

from s2s_lit.comparison.compute import compare
from s2s_lit.comparison.pairs import LEVEL
from s2s_lit.comparison.results import PERPLEXITY, Comparison
from s2s_lit.errors import UserError
from s2s_lit.metrics.score import Score
from s2s_lit.tracking.client.runs import RunRecord


def is_better(run: RunRecord, holder_id: str, split: str) -> tuple[bool, str]:
    """Whether a run is significantly better than the holder's, and the reason in words.

    Both paired bootstrap and approximate randomization must say p < 0.05, as in `s2s compare`, of the score that the
    run monitors (perplexity if that is the loss), or of the task's headline score if a comparison does not compute it.
    """
    try:
        comparison = compare([holder_id, run.run_id], split=split, examples=1)
    except UserError as error:
        return False, f"they cannot be compared: {error}"
    score = _deciding(comparison, run.monitor)
    (pair,) = comparison.pairs
    before, now = pair.scores[score]
    if before is None or now is None or now.difference is None:
        return False, (
            f"{score.label} of the two cannot be compared: they cut their references differently, or did not keep what "
            "it needs"
        )
    said = f"{score.label} on {comparison.examples} {split} examples {score.printed(before.tested.score)} -> "
    said += score.printed(now.tested.score)
    if now.tested.bootstrap_p is not None:
        said += f", p {now.tested.bootstrap_p:.4f} (paired bootstrap), "
        said += f"{now.tested.randomization_p:.4f} (approximate randomization)"
    if (now.difference > 0) != score.higher_is_better:
        return False, f"not better, {said}"
    if not now.significant:
        return False, f"not significantly better (both must have p < {LEVEL}), {said}"
    return True, f"significantly better, {said}"


def _deciding(comparison: Comparison, monitor: str) -> Score:
    """The score that decides between the two."""
    scores = {score.name: score for score in comparison.scores}
    asked = monitor.removeprefix("val/").replace("loss", PERPLEXITY.name)
    return scores.get(asked) or scores.get(comparison.headline) or comparison.closeup
