"""What the host calls plugins through: one module per kind, over the one way that a call goes (`rpc`)."""
