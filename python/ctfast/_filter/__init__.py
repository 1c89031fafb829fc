"""AWS's filter languages, and the documents that hold them."""
