"""The only place that touches a machine: runs commands, opens devices, asks the kernel."""
