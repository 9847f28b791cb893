"""What tests share: the parts that exist, small networks, small batches."""
