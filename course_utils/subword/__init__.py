"""Subword tokenization: byte-pair encoding and WordPiece, trained and applied."""
