"""The course's designs, a YAML file each."""
