"""The configurations that `hector init` writes: those of the folder examples/, for who has no checkout."""
