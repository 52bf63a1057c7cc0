"""Load the course's data: from a package, the model hub, or the reader's own file."""
