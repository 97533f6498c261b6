"""What more than one vendor speaks."""
