"""What `s2s train` and `s2s resume` say when a training has ended."""

from __future__ import annotations

from s2s_lit.cli.tables import print_scores
from s2s_lit.training.start import Trained


def print_trained(trained: Trained) -> None:
    """The test scores, and what can be done with the run next."""
    print_scores(f"{trained.run_name} on the test split", {"test": trained.scores}, trained.known)
    print(f"\nrun {trained.run_name}, id {trained.run_id}. Next:")
    for command in [*trained.advice, f"make evaluate RUN={trained.run_id[:8]} SPLIT=validation"]:
        print(f"  {command}")
    print("  make ui      # prints the address of the table of runs")
