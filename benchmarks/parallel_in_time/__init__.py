"""What layers whose gates read inputs alone can learn, and what they cannot."""
