"""Losses, as sums with their counts: a mean is taken once, where all that belongs to it is known."""
