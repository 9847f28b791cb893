"""What a run says of itself: parameters, origin, data, samples, predictions and pictures."""
