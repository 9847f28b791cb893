"""From rows to clean text: normalization, filters, and the count of what was left out."""
