"""`s2s sweep-doctor`: says what crashes have left behind, and mends it on request."""

from __future__ import annotations

import argparse

from s2s_lit.tuning.execution.checkup import check_up

ILL = 1
"""Status when something was found that is not mended."""


def sweep_doctor(arguments: argparse.Namespace, overrides: list[str]) -> int:
    """The verb: 0 when all is well or mended."""
    return ILL if check_up(arguments.storage, arguments.study, mend=arguments.mend) else 0
