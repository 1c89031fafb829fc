"""How fast ctfast reads an archive, next to the floor and to others: what ``ctfast bench`` and benches/ share."""
