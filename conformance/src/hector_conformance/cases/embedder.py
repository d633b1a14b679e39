"""What every embedder promises."""
