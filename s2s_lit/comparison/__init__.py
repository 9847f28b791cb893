"""Comparing runs: which ones, what they score, whether the difference is real, and the page that shows it."""
