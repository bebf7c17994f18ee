"""The ground floor: dtypes, tensors, declarations of ops, variables, graphs, registries and words for people."""
