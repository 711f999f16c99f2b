"""What a service desk is: pure values and decisions, no I/O, time passed in. Standard library only."""
