-- That another kind of database is being moved in here, or has been: at most one row. Until it is finished nothing else may use
-- these tables.
CREATE TABLE moves (
  is_only BOOLEAN PRIMARY KEY DEFAULT TRUE CHECK (is_only),
  -- Of what is moved.
  fingerprint TEXT NOT NULL,
  started_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  finished_at TIMESTAMPTZ
);

-- How far it has come with each table: the last row that is here, how many are, and the hash of them all.
CREATE TABLE move_progress (
  table_name TEXT COLLATE "C" PRIMARY KEY,
  -- JSON: the values of its key; NULL: none is here yet.
  last_key TEXT,
  row_count BIGINT NOT NULL,
  hash TEXT NOT NULL,
  is_copied BOOLEAN NOT NULL DEFAULT FALSE,
  is_verified BOOLEAN NOT NULL DEFAULT FALSE
);
