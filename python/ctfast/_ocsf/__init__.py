"""Events in the form of OCSF."""
