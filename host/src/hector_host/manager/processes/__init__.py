"""Processes of plugins and everything below them: started, watched, measured, and ended without a trace."""
