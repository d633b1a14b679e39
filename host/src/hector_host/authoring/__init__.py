"""What plugin authors do without a running host: fork a reference plugin, pack a plugin, install one."""
