"""What happens in a month: one file of pure functions and one TOML file of parameters for each mechanism."""
