"""Which parameters move a result: methods over a table of factors and outputs, with intervals and a noise floor."""
