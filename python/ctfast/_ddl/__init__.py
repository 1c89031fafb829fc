"""A lake or an archive as a table of other engines."""
