"""What a split has lost of its rows: said in one line, and refused where it is too much."""

from __future__ import annotations

from s2s_lit.data.cleaning.report import SplitReport
from s2s_lit.data.sources.rows import MEANINGS
from s2s_lit.errors import UserError

_COLUMNS = ("missing_field", "not_text")


def lost_rows(split: str, report: SplitReport) -> str:
    """How many rows were lost, why, and the setting that changes it; empty if none was."""
    lost = report.malformed + report.dropped
    if not lost:
        return ""
    reasons = "; ".join(f"{count:,} × {_why(reason)}" for reason, count in lost.most_common())
    return f"{split}: {report.rows - lost.total():,} of {report.rows:,} rows are kept; lost: {reasons}"


def refuse_too_many(split: str, report: SplitReport, *, training: bool) -> None:
    """Raises a UserError if training lost more than half of its rows, or an evaluation split any."""
    lost = (report.malformed + report.dropped).total()
    if lost > (report.rows / 2 if training else 0):
        rule = "training would lose more than half of its rows" if training else "scores would leave rows out"
        raise UserError(
            f"{lost_rows(split, report)}. So {rule}: mend the data or the settings, or say that this is meant by "
            "--data.allow_lost_rows=true"
        )


def _why(reason: str) -> str:
    """A reason as the report counts it, in words, with the setting that changes it."""
    if reason in MEANINGS:
        setting = "data.columns" if reason in _COLUMNS else "data.strict=true names the first file and row"
        return f"{MEANINGS[reason]} ({setting})"
    if reason.endswith("_too_long"):
        return f"its {(field := reason.removesuffix('_too_long'))} has too many tokens (data.fields.{field}.max_length)"
    if reason.startswith("empty_"):
        return f"its {reason.removeprefix('empty_')} is empty"
    return f"{reason.replace('_', ' ')} (data.filters)"
