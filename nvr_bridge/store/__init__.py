"""What is kept: the schema, the database, and one table class per noun."""
