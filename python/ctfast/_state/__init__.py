"""State that outlives a run: the database of a checkpoint."""
