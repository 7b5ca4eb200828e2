"""What is shown: figures, the one-page summary and every word in them, in English and Indonesian.

Kept free of imports so that the words can be used without loading matplotlib; take
``konvergensi.report.figures`` (FIGURES, save_figures) and ``konvergensi.report.summary`` (summary) from here.
"""
