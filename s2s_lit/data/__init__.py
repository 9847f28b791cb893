"""Corpora to batches: sources, filters, batchers, loaders and the data module that owns them."""
