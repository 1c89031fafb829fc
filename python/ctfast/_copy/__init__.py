"""Copies of buckets in folders."""
