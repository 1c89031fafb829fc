"""A lake: the events of archives in a Delta table, each once."""
