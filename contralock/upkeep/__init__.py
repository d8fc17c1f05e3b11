"""What has to be done now and then so that the database stays small: sessions, archive."""
