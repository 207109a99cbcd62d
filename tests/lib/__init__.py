"""What the black-box scenarios are made of: the gateway, a strict client, scriptable origins, real peers."""
