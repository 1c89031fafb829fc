"""What filters cost at AWS."""
