"""Practice sticks: real files, and a device-mapper in user space that works on them."""
