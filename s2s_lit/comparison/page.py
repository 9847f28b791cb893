"""A comparison as one HTML page that works offline: its styles and pictures are in it, and nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from difflib import SequenceMatcher

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from s2s_lit.comparison.pictures import COLOURS, attention_svg, lines_svg
from s2s_lit.comparison.results import PERPLEXITY, Comparison, Group
from s2s_lit.comparison.systems import code, configuration
from s2s_lit.comparison.verdicts import basis, cells, verdict, what_differs
from s2s_lit.metrics.score import Score
from s2s_lit.types import Prediction


def page(comparison: Comparison) -> str:
    """The whole page, from `page.html.j2`; all text in it is escaped."""
    environment = Environment(
        loader=PackageLoader("s2s_lit.comparison", ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "attention": attention,
        "basis": basis,
        "code": code,
        "marked": marked,
        "verdict": verdict,
        "what_differs": what_differs,
    }
    return environment.get_template("page.html.j2").render(
        comparison=comparison,
        names=[system.name for system in comparison.systems],
        colours=[COLOURS[index % len(COLOURS)] for index in range(len(comparison.systems))],
        group_scores=_group_scores(comparison),
        settings=_settings(comparison),
        now=f"{datetime.now():%Y-%m-%d %H:%M}",
        cells=cells,
        lines=lambda title, groups: _lines(comparison, title, groups),
        number=number,
    )


def number(score: Score, value: float | None) -> str:
    """A value as its score is printed; a dash if there is none."""
    return "–" if value is None else score.printed(value)


def attention(prediction: Prediction) -> Markup | None:
    """The picture of a prediction's attention; None if it kept none."""
    if prediction.weights is None:
        return None
    return Markup(attention_svg(prediction.weights.numpy(), prediction.input_tokens, prediction.target_tokens))


def marked(prediction: Prediction) -> Iterator[tuple[str, bool]]:
    """The words of the output in parts, each with whether the reference lacks it."""
    words, reference = prediction.hypothesis.split(), prediction.reference.split()
    for what, start, end, _, _ in SequenceMatcher(None, words, reference, autojunk=False).get_opcodes():
        if start < end:
            yield " ".join(words[start:end]), what != "equal"


def _group_scores(comparison: Comparison) -> list[Score]:
    """The scores that are shown of each group of examples."""
    shown = {comparison.headline, comparison.closeup.name, PERPLEXITY.name}
    return [score for score in comparison.scores if score.name in shown]


def _lines(comparison: Comparison, title: str, groups: list[Group]) -> Markup:
    score = comparison.closeup
    lines = {
        system.name: [group.values[score.name][index] for group in groups]
        for index, system in enumerate(comparison.systems)
    }
    return Markup(lines_svg([group.label for group in groups], lines, x=title, y=score.label))


def _settings(comparison: Comparison) -> dict[str, list[str]]:
    """Every setting in which a system differs from the first, and its value in each."""
    configurations = [configuration(system.runs[0]) for system in comparison.systems]
    keys = dict.fromkeys(key for pair in comparison.pairs for key in pair.differences)
    return {key: [found.get(key, "–") for found in configurations] for key in keys}
