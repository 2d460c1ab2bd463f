"""The configuration document: its models and its checks; pure."""
