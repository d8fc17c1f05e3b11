"""What runs in the contenders' own processes: a handler that does one Redis command, and how to add a job."""
