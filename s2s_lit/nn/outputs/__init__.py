"""Output layers: from features to a distribution over tokens."""
