"""What a run has to say, on its way to the store: nothing is lost while it is away."""
