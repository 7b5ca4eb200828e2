"""Statistics and algorithms that know nothing of the model: designs, intervals, emulators, discovery, attribution."""
