"""From what the configuration says of a plugin to a process that can be talked to."""
