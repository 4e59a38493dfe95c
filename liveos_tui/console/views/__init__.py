"""What the screens say, as lines: pure functions of the values, tested without an app."""
