"""What every vector database promises."""
