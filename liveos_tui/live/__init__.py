"""What is this, and how is it? Recognise a LiveOS, measure it, judge it."""
