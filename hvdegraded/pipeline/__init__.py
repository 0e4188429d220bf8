"""One record in, the same record with a verdict out."""
