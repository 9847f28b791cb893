"""Search: from a model's steps to outputs. Knows models only as a `StepModel`."""
