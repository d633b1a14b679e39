"""Tools on the files of one directory, and commands from an allow-list."""
