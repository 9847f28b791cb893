"""Optuna's study: where it lies, how it is opened, what is written in it, which of its trials are the best."""
