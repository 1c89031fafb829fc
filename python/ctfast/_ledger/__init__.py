"""What became of each file: rows, findings, the report."""
