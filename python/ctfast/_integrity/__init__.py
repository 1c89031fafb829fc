"""Verifying: keys, signatures, the verdict and the page that shows it."""
