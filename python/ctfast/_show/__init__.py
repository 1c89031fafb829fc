"""How results are shown to people: words, numbers, tables, and wrapped text."""
