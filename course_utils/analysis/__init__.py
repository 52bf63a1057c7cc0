"""What can be read out of a model's vectors: readers, similarities, clusters."""
