"""Which virtual machine runs which operating system."""
