"""Attention: one mechanism, one short file; the contract is in `base.py`."""
