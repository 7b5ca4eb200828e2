"""What comes in: parameters, services, districts and scenarios, each checked before anything runs."""
