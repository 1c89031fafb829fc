"""Questions in SQL, of lakes and archives."""
