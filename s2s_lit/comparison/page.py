"""A comparison as one self-contained HTML page: styles and pictures are in it, nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from difflib import SequenceMatcher
from html import escape

from s2s_lit.comparison.drawing import COLOURS, attention_svg, lines_svg
from s2s_lit.comparison.results import CHRF, PERPLEXITY, Apart, Comparison
from s2s_lit.comparison.systems import code, configuration
from s2s_lit.comparison.verdicts import basis, cells, notes, verdict, what_differs
from s2s_lit.metrics.score import Score
from s2s_lit.types import Prediction

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1b2a3a; max-width: 1080px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.4rem; } h3 { font-size: 1rem; margin-top: 1.8rem; }
table { border-collapse: collapse; margin: .8rem 0; } .wide { overflow-x: auto; }
th, td { padding: .3rem .8rem; border-bottom: 1px solid #dde3ea; text-align: right; white-space: nowrap; }
th { font-weight: 600; } th:first-child, td:first-child { text-align: left; }
.note, small { color: #6b7886; } .yes { font-weight: 600; color: #2f7d4f; }
.verdict { border-left: 3px solid #2b6ea8; padding: .2rem .9rem; }
.apart { border-top: 1px solid #dde3ea; padding: .9rem 0; }
.apart dl { display: grid; grid-template-columns: max-content 4rem 1fr; gap: .15rem .8rem; margin: 0; }
.apart dt { color: #6b7886; } .apart dd { margin: 0; } .number { text-align: right; }
.key { display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: 2px; }
mark { background: #fbe3d6; } .side { display: flex; flex-wrap: wrap; gap: 1.5rem; margin-top: .6rem; }
figure { margin: 0; } figcaption { color: #6b7886; } svg { max-width: 100%; height: auto; }
svg text { font: 11px system-ui, sans-serif; fill: #44525f; }
"""


def page(comparison: Comparison) -> str:
    """The whole page."""
    names = [system.name for system in comparison.systems]
    title = f"{', '.join(names)}: {comparison.split}"
    body = [
        f"<h1>{escape(' · '.join(names))}</h1>",
        f'<p class="note">{comparison.sentences} sentences of the {escape(comparison.split)} split of '
        f"{escape(comparison.systems[0].runs[0].dataset)}; {datetime.now():%Y-%m-%d %H:%M}</p>",
        *_scores(comparison),
        *(part for index in range(1, len(names)) for part in _tests(comparison, index)),
        *_groups(comparison, names),
        *(part for index, apart in enumerate(comparison.apart, 1) for part in _apart(names[0], names[index], apart)),
        *_runs(comparison),
        *_settings(comparison),
    ]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n' + "\n".join(body) + "\n</body></html>\n"


def number(score: Score, value: float | None) -> str:
    """A value as its score is printed, with a dash for one that there is not."""
    return "–" if value is None else score.printed(value)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Cells are HTML already."""
    top = "".join(f"<th>{cell}</th>" for cell in head)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>{lines}</tbody></table></div>'


def _key(index: int, name: str) -> str:
    return f'<span class="key" style="background:{COLOURS[index % len(COLOURS)]}"></span>{escape(name)}'


def _scores(comparison: Comparison) -> list[str]:
    rows = []
    for index, system in enumerate(comparison.systems):
        values = [_key(index, system.name)]
        for score in comparison.scores:
            entry = comparison.table[score.name][index]
            if entry is None:
                values.append("–")
                continue
            seeds = "" if entry.spread is None else f"<br><small>seeds ± {number(score, entry.spread)}</small>"
            margin = f"<small> ± {number(score, entry.tested.margin)}</small>"
            values.append(f"{number(score, entry.tested.score)}{margin}{seeds}")
        rows.append([*values, str(len(system.runs))])
    labels = [f"{escape(s.label)} {'↑' if s.higher_is_better else '↓'}" for s in comparison.scores]
    note = (
        f"± is half of the 95 % interval over {comparison.bootstrap} bootstrap resamples of the sentences (sacrebleu)."
    )
    lines = "".join(f'<p class="note">{line}</p>' for line in (note, *map(escape, notes(comparison))))
    return ["<h2>Scores</h2>", _table(["", *labels, "runs"], rows), lines]


def _tests(comparison: Comparison, index: int) -> list[str]:
    first, other = comparison.systems[0].name, comparison.systems[index].name
    rows = []
    for score in comparison.scores:
        *numbers, answer = map(escape, cells(comparison, score, index))
        mark = f'<span class="yes">{answer}</span>' if answer == "yes" else answer
        rows.append([escape(score.label), *numbers, mark])
    head = ["", "difference", "p, paired bootstrap", "p, approximate randomization", "p, seeds (Welch)", "significant"]
    note = (
        f"{comparison.bootstrap} resamples, {comparison.randomizations} randomizations; significant: every test that "
        "could be made has p &lt; 0.05. The p-values are not corrected for the number of comparisons."
    )
    said = (f"{verdict(comparison, index)}.", basis(comparison, index), what_differs(comparison, index))
    answered = f"<p class='verdict'>{'<br>'.join(map(escape, said))}</p>"
    return [
        f"<h2>{escape(other)} against {escape(first)}</h2>",
        answered,
        _table(head, rows),
        f'<p class="note">{note}</p>',
    ]


def _groups(comparison: Comparison, names: list[str]) -> list[str]:
    parts = ["<h2>Where they differ</h2>"]
    for title, groups in comparison.groups.items():
        labels = [bucket.label for bucket, _ in groups]
        lines = {name: [values[CHRF][i] for _, values in groups] for i, name in enumerate(names)}
        keys = " &nbsp; ".join(_key(i, name) for i, name in enumerate(names))
        picture = lines_svg(labels, lines, title=f"chrF by {title}", axis=title)
        shown = [score for score in comparison.scores if score.name in ("bleu", CHRF, PERPLEXITY.name)]
        head = [escape(title), "sentences", *(f"{s.label}<br>{escape(name)}" for s in shown for name in names)]
        rows = [
            [b.label, str(len(b.rows)), *(number(s, v) for s in shown for v in values[s.name])] for b, values in groups
        ]
        parts += [f"<h3>chrF by {escape(title)}</h3><p>{keys}</p>", picture, _table(head, rows)]
    return parts


def _apart(first: str, other: str, apart: list[Apart]) -> list[str]:
    note = (
        "First those that the second gains on, then those that it loses on, by sentence chrF of each system's first "
        "run. Marked: what the reference has not. Attention: source across, output down."
    )
    parts = [f"<h2>Sentences furthest apart: {escape(first)} and {escape(other)}</h2>", f'<p class="note">{note}</p>']
    for pair in apart:
        lines = [
            ("source", "", escape(pair.first.source)),
            ("reference", "", escape(pair.first.reference)),
            (first, f"{pair.first_score:.1f}", _marked(pair.first)),
            (other, f"{pair.other_score:.1f}", _marked(pair.other)),
        ]
        rows = "".join(f'<dt>{escape(h)}</dt><dd class="number">{n}</dd><dd>{t}</dd>' for h, n, t in lines)
        pictures = "".join(_attention(name, p) for name, p in ((first, pair.first), (other, pair.other)))
        parts.append(f'<div class="apart"><dl>{rows}</dl><div class="side">{pictures}</div></div>')
    return parts if apart else [*parts, "<p>None: all sentences score the same.</p>"]


def _attention(name: str, prediction: Prediction) -> str:
    if prediction.weights is None:
        return ""
    picture = attention_svg(prediction.weights.numpy(), prediction.source_tokens, prediction.target_tokens)
    return f"<figure><figcaption>{escape(name)}</figcaption>{picture}</figure>"


def _marked(prediction: Prediction) -> str:
    """The hypothesis with what the reference has not in marks, word by word."""
    words, reference = prediction.hypothesis.split(), prediction.reference.split()
    matcher = SequenceMatcher(None, words, reference, autojunk=False)
    found = []
    for what, start, end, _, _ in matcher.get_opcodes():
        text = escape(" ".join(words[start:end]))
        if text:
            found.append(text if what == "equal" else f"<mark>{text}</mark>")
    return " ".join(found) or "<small>(empty)</small>"


def _runs(comparison: Comparison) -> list[str]:
    rows = [
        [
            _key(index, system.name),
            escape(run.name),
            run.run_id,
            escape(run.params.get("seed", "")),
            escape(code(run)),
            f"{run.started:%Y-%m-%d %H:%M}",
        ]
        for index, system in enumerate(comparison.systems)
        for run in system.runs
    ]
    return ["<h2>Runs</h2>", _table(["", "run", "id", "seed", "commit", "started"], rows)]


def _settings(comparison: Comparison) -> list[str]:
    """Every setting in which a system differs from the first, and its value in each."""
    keys = dict.fromkeys(key for index in range(1, len(comparison.systems)) for key in comparison.differences(index))
    if not keys:
        return []
    configurations = [configuration(system.runs[0]) for system in comparison.systems]
    rows = [[escape(key), *(escape(found.get(key, "–")) for found in configurations)] for key in keys]
    head = ["", *(_key(index, system.name) for index, system in enumerate(comparison.systems))]
    return ["<h2>Settings that differ</h2>", _table(head, rows)]
