"""What looks at a training without changing it."""
