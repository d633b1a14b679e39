"""The host's own API, `hector.host.v1`, as who serves it and who calls it both know it.

The host's values become its messages, and its errors become statuses and errors again. Nothing here serves; what a live
host and a command that is its own host do alike with a request is here too.
"""
