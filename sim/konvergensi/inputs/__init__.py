"""What a user gives, read and checked: districts, scenarios, parameters, services, calibration files."""
