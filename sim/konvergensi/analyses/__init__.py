"""The questions one can ask, each as plan, study and result."""
