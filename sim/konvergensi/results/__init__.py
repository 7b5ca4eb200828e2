"""What comes out, as data that can be saved and loaded; how it is shown is the matter of report/."""
