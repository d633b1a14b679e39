"""What plugins write: cut, escaped, bounded, kept."""
