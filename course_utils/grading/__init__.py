"""Exercises: from one instructor notebook to what a student gets, checks and submits."""
