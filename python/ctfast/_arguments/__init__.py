"""What arguments may be, and the gate that checks them."""
