"""What `compile` fixes, one step and how it is compiled, and the loops over data."""
