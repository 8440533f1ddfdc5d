"""What the bridge does, on both databases: each test calls flows and reads what they answer."""
