"""What the documents say is so: links lead somewhere, and the attention of CONTRIBUTING works as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

from s2s_lit.nn.attention.base import Attention
from s2s_lit.nn.decoders.recurrent import RecurrentDecoder
from support.networks import network, random_batch

ROOT = Path(__file__).parents[2]
DOCUMENTS = [
    path for path in ROOT.rglob("*.md") if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
]


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_local_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\((?!https?://)([^)#]+)", document.read_text(encoding="utf-8"))
    missing = [link for link in links if not (document.parent / link).exists()]
    assert not missing
    assert DOCUMENTS


def test_the_attention_of_contributing_works_as_it_stands() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    ((_, code),) = re.findall(r"`(s2s_lit/nn/attention/\w+\.py)`.*?```python\n(.*?)```", text, re.DOTALL)
    names: dict[str, type] = {"__name__": "contributed"}
    exec(code, names)
    attention = names["CosineAttention"]
    assert issubclass(attention, Attention)
    torch.manual_seed(0)
    model = network(RecurrentDecoder, attention=attention)()
    batch = random_batch()
    encoded, state = model.start(batch.inputs)
    whole = model(batch.inputs, batch.target)
    first, weights, _ = model.step(batch.target.inputs[:, 0], encoded, state)
    torch.testing.assert_close(weights, whole.decoded.weights[:, 0])
    torch.testing.assert_close(weights.sum(-1), torch.ones(len(batch)))
    assert torch.isfinite(first).all()
