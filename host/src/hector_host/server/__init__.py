"""`hector serve`: a host that lives on, and serves its agents, runs and plugins to other programs."""
