"""What is fetched from AWS, and with which credentials."""
