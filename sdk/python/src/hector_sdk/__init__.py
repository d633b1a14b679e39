"""Write Hector plugins in Python."""
