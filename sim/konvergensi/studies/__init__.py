"""The one way to run many: what to run, on which processes or cluster, and what is kept of each run."""
