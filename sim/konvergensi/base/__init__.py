"""Words in both languages, number formats, errors, months, files, and the one safe writer of folders."""
