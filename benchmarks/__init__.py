"""asv benchmarks of numact."""
