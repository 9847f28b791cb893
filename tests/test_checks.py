"""The checks of settings."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from s2s_lit.checks import above, at_least, below_one, share, within
from s2s_lit.errors import SettingError, UserError

CHECKS: dict[str, tuple[Callable[[str, float], float], list[float], list[float]]] = {
    "at_least": (partial(at_least, least=1), [1, 2.5, 10**400], [0.9, -3]),
    "above": (partial(above, bound=0), [1e-30, 7], [0, -1]),
    "within": (partial(within, low=0, high=2), [0, 1.5, 2], [-0.1, 2.1]),
    "below_one": (below_one, [0, 0.999], [-0.1, 1]),
    "share": (share, [1e-9, 1], [0, 1.1]),
}


@pytest.mark.parametrize("name", CHECKS)
def test_what_is_in_range_is_returned(name: str) -> None:
    check, good, _ = CHECKS[name]
    assert [check("size", value) for value in good] == good


@pytest.mark.parametrize("name", CHECKS)
def test_what_is_not_is_refused_by_the_settings_name(name: str) -> None:
    check, _, bad = CHECKS[name]
    for value in [*bad, float("nan"), float("inf"), -float("inf")]:
        with pytest.raises(SettingError, match=f"^task.size must be .*, not {value}$"):
            check("task.size", value)


def test_it_is_an_error_of_the_user_and_of_a_value() -> None:
    assert issubclass(SettingError, UserError)
    assert issubclass(SettingError, ValueError)
