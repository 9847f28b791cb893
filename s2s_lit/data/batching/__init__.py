"""Which examples share a batch, and how they become tensors."""
