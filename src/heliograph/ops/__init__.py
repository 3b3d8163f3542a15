"""What an operator watches: logs, metrics and health. Nothing here names an account or shows a message."""
