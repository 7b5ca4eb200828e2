"""Who exists, as columns: households, children, registers, agencies, programmes, and their draws."""
