"""What networks learn in several benchmarks: digits, sums; and the layers that learn it."""
