"""What workflows may have done for them in the outside world."""
