"""What is seen of the true state: surveys, the routine register, tables by month and year."""
