"""Metrics as sums that add up over batches and processes; each is computed once, from the totals."""
