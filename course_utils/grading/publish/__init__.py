"""What leaves the gradebook: feedback pages, sheets for course systems, and the instructor's summary."""
