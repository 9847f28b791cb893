"""What a sweep has found: tables, ablations, pictures, the best experiment."""
