"""Whether a run takes a registered model's alias over: only if it is significantly better than the holder."""

from __future__ import annotations

from s2s_lit.comparison.results import CHRF, LEVEL, PERPLEXITY, compare
from s2s_lit.comparison.systems import find_systems
from s2s_lit.errors import UserError
from s2s_lit.metrics.significance import BOOTSTRAP, RANDOMIZATIONS
from s2s_lit.tracking.client.runs import RunRecord


def is_better(run: RunRecord, holder_id: str, split: str) -> tuple[bool, str]:
    """Whether a run is significantly better than the holder's on the same sentences, and the reason in words.

    Both paired bootstrap and approximate randomization must say p < 0.05 (as in `s2s compare`) of the score that the
    run monitors: perplexity where it is the loss, chrF where it is none that `compare` knows.
    """
    try:
        systems = find_systems([holder_id, run.run_id], split)
    except UserError as error:
        return False, f"they cannot be compared: {error}"
    comparison = compare(systems, split, sentences=1, bootstrap=BOOTSTRAP, randomizations=RANDOMIZATIONS)
    asked = run.monitor.removeprefix("val/").replace("loss", PERPLEXITY.name)
    score = next((s for s in comparison.scores if s.name == asked), None)
    score = score or next(s for s in comparison.scores if s.name == CHRF)
    before, now = comparison.table[score.name]
    if before is None or now is None or now.difference is None:
        return (
            False,
            f"{score.label} of the two cannot be compared: they cut their references differently, or keep none",
        )
    tested = now.tested
    said = f"{score.label} on {comparison.sentences} {split} sentences {score.printed(before.tested.score)} -> "
    said += score.printed(tested.score)
    if tested.bootstrap_p is not None:
        said += (
            f", p {tested.bootstrap_p:.4f} (paired bootstrap), {tested.randomization_p:.4f} (approximate randomization)"
        )
    if (now.difference > 0) != score.higher_is_better:
        return False, f"not better, {said}"
    if not now.significant:
        return False, f"not significantly better (p < {LEVEL} is asked of both), {said}"
    return True, f"significantly better, {said}"
