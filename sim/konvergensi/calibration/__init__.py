"""Calibration: targets, priors, emulators, history matching, posterior, fitted draws, validation."""
