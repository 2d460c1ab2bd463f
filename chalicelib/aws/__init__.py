"""What AWS does for us; the only package that imports boto3."""
