"""Sums, values and errors of several real processes."""

from __future__ import annotations

import pytest
import torch

from s2s_lit.errors import PeerError, Terminated, UserError
from s2s_lit.processes import differentiable_sum, from_first, largest, rank, smallest, summed, world_size
from support.processes import each, run


def values() -> tuple[object, ...]:
    own = torch.tensor([1.0, 2.0]) * (rank() + 1)
    total = summed(own)
    made = from_first(lambda: {"made by": rank()})
    return world_size(), own.tolist(), total.tolist(), largest(rank()), smallest(rank()), made


def test_all_have_the_same_sums_and_the_first_ones_values() -> None:
    found = run(values, processes=3)
    assert [own for _, own, *_ in found] == [[1.0, 2.0], [2.0, 4.0], [3.0, 6.0]]
    assert {str((size, *rest)) for size, _, *rest in found} == {str((3, [6.0, 12.0], 2, 0, {"made by": 0}))}


def test_one_process_is_all_of_them() -> None:
    assert values() == (1, [1.0, 2.0], [1.0, 2.0], 0, 0, {"made by": 0})


def gradient() -> list[float]:
    own = torch.tensor([1.0, 2.0], requires_grad=True)
    (differentiable_sum(own) * (rank() + 1)).sum().backward()
    return own.grad.tolist()


def test_gradients_of_all_sums_come_back() -> None:
    assert run(gradient) == [[3.0, 3.0]] * 2


def fail(error: BaseException) -> None:
    if rank() == 1:
        raise error
    largest(1)


@pytest.mark.parametrize(
    ("error", "others"),
    [
        (UserError("set data.x"), f"{PeerError.__name__}: process 1: UserError: set data.x"),
        (ValueError("wrong"), f"{PeerError.__name__}: process 1: ValueError: wrong"),
        (KeyboardInterrupt(), "KeyboardInterrupt"),
        (Terminated(), "Terminated: 143"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_the_first_error_is_that_of_all(error: BaseException, others: str) -> None:
    (one, first), (other, second) = each(fail, error)
    assert not one
    assert not other
    assert type(error).__name__ in second.splitlines()[-1]
    assert "PeerError" not in second
    assert first.splitlines()[-1].removeprefix("s2s_lit.errors.") == others
