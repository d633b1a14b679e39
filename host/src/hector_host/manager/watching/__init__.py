"""Files of plugins and of the configuration: watched, and what follows when they change."""
