"""What is seen of the district: never the true state, always through a measurement."""
