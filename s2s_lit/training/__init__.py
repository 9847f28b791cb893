"""Training: one run from its configuration to its scores, in one process or several."""
