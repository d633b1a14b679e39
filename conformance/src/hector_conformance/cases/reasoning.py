"""What every reasoning strategy promises."""
