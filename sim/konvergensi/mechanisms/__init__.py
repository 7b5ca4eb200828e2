"""What happens in a month: one file per mechanism, its parameters in the TOML file of the same name."""
