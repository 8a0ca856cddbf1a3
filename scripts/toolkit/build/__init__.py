"""Sources become wheels, in parallel, without a network."""
