"""A district as a model: how it is built, its month, branching between scenarios, replay of a change."""
