"""Learning-rate schedules, weight averaging, and which parameters decay."""
