"""What would be done: pure functions from what was seen to a Plan of Steps. No I/O."""
