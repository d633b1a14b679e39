"""The connection to a plugin: dialled, introduced, agreed upon; and the addresses that somebody else serves."""
