"""What the log wants the kernel's table to be: registers, pool arithmetic, the desired table."""
