"""Help for tests of programs that use these types."""
