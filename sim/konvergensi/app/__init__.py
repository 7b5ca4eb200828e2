"""Pages in the browser of the same machine for those who open no terminal, and the class that plays a district."""
