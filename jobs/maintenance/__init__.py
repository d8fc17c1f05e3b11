"""What the keeper does at every tick: one duty, one file, one `…_once(now)`, `now` being the database's."""
