"""Where the files of a lake are: a folder, or a prefix of a bucket."""
