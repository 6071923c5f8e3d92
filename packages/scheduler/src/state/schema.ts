/**
 * The tables of the state database and what each is for. Only text; opening is database.ts's.
 *
 * Kept in one sqlite file so that a record and the facts behind it are written in one transaction. Blobs are not
 * in it: the pool's own files are, and a record never vouches for a blob's bytes.
 */

const FIRST = `
-- This very text, as the tables were made: tables of another shape are as good as damaged.
CREATE TABLE IF NOT EXISTS made (
  only   INTEGER PRIMARY KEY CHECK (only = 1),
  tables TEXT NOT NULL
) STRICT;

CREATE TABLE IF NOT EXISTS record (
  fingerprint TEXT NOT NULL,
  manifest    TEXT NOT NULL,  -- manifest digest of the (first) image
  output      TEXT NOT NULL,  -- core's Output as JSON
  origin      TEXT NOT NULL,  -- built | imported | substituted
  target      TEXT NOT NULL,
  run         TEXT NOT NULL,
  created     INTEGER NOT NULL, -- ms since the epoch
  used        INTEGER NOT NULL, -- ms since the epoch, refreshed at most once a day
  PRIMARY KEY (fingerprint, manifest)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS record_target ON record (target, created);

-- The canonical facts behind a fingerprint, for 'why'.
CREATE TABLE IF NOT EXISTS facts (
  fingerprint TEXT PRIMARY KEY,
  text        TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- What a tree last had for a target: decides 'unchanged', answers 'why'.
CREATE TABLE IF NOT EXISTS current (
  tree        TEXT NOT NULL,   -- real path of the root
  target      TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  manifest    TEXT NOT NULL,
  PRIMARY KEY (tree, target)
) STRICT, WITHOUT ROWID;

-- One row a tree, when it was last loaded: the stats and hashes of its files (JSON, tree/snapshot.ts).
CREATE TABLE IF NOT EXISTS snapshot (
  tree    TEXT PRIMARY KEY,
  content TEXT NOT NULL,      -- hash of all files
  recipes TEXT NOT NULL,      -- core's recipesKey
  files   TEXT NOT NULL
) STRICT;

-- The loaded tree itself. Apart from its files' stats: it is large, and they are written more often.
CREATE TABLE IF NOT EXISTS frozen (
  tree     TEXT PRIMARY KEY,
  key      TEXT NOT NULL,     -- core's treeKey
  warnings TEXT NOT NULL,     -- JSON
  text     TEXT NOT NULL      -- core's freezeTree
) STRICT;

-- What was read out of its recipes (core's FactsCache), for when the frozen tree does not fit.
CREATE TABLE IF NOT EXISTS facts_cache (
  tree TEXT PRIMARY KEY,
  text TEXT NOT NULL
) STRICT;

-- What the last run found that had nothing to do (run/settled.ts). Whatever could change its answer and is not in
-- its key drops it, whoever wrote it.
CREATE TABLE IF NOT EXISTS settled (
  tree      TEXT NOT NULL,
  selection TEXT NOT NULL,
  key       TEXT NOT NULL,
  stats     BLOB NOT NULL,
  text      TEXT NOT NULL,    -- JSON
  PRIMARY KEY (tree, selection)
) STRICT;

-- The engine last seen at an address: a no-op contacts no daemon.
CREATE TABLE IF NOT EXISTS engine (
  address TEXT PRIMARY KEY,
  data    TEXT NOT NULL,
  seen    INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Blobs of the pool and files of the source store whose bytes were verified, by the stat they had then.
CREATE TABLE IF NOT EXISTS good (
  kind   TEXT NOT NULL,       -- blob | source
  digest TEXT NOT NULL,
  stamp  TEXT NOT NULL,       -- size, mtime, inode
  PRIMARY KEY (kind, digest)
) STRICT, WITHOUT ROWID;

-- What a layer was found to hold; true for its digest for ever.
CREATE TABLE IF NOT EXISTS layer (
  digest  TEXT PRIMARY KEY,
  diff_id TEXT NOT NULL,
  newest  REAL NOT NULL       -- newest mtime of its entries, s
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS run (
  id       TEXT PRIMARY KEY,
  tree     TEXT NOT NULL,
  started  INTEGER NOT NULL,
  finished INTEGER,
  ok       INTEGER,
  command  TEXT NOT NULL,
  summary  TEXT              -- JSON
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS run_started ON run (started);

CREATE TABLE IF NOT EXISTS built (
  run         TEXT NOT NULL,
  target      TEXT NOT NULL,
  result      TEXT NOT NULL,  -- built | unchanged | failed
  fingerprint TEXT NOT NULL,
  previous    TEXT,           -- the fingerprint it had before in this tree
  manifest    TEXT,
  duration    INTEGER NOT NULL, -- ms
  finished    INTEGER NOT NULL, -- ms since the epoch
  worker      TEXT NOT NULL,
  PRIMARY KEY (run, target)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS built_target ON built (target, finished);

CREATE TRIGGER IF NOT EXISTS record_came AFTER INSERT ON record BEGIN DELETE FROM settled; END;
CREATE TRIGGER IF NOT EXISTS record_went AFTER DELETE ON record BEGIN DELETE FROM settled; END;
CREATE TRIGGER IF NOT EXISTS record_changed AFTER UPDATE OF fingerprint, manifest, output, origin ON record
  BEGIN DELETE FROM settled; END;
CREATE TRIGGER IF NOT EXISTS current_came AFTER INSERT ON current
  BEGIN DELETE FROM settled WHERE tree = NEW.tree; END;
CREATE TRIGGER IF NOT EXISTS current_went AFTER DELETE ON current
  BEGIN DELETE FROM settled WHERE tree = OLD.tree; END;
CREATE TRIGGER IF NOT EXISTS current_changed AFTER UPDATE ON current BEGIN DELETE FROM settled; END;
CREATE TRIGGER IF NOT EXISTS built_came AFTER INSERT ON built BEGIN DELETE FROM settled; END;
CREATE TRIGGER IF NOT EXISTS built_went AFTER DELETE ON built BEGIN DELETE FROM settled; END;
CREATE TRIGGER IF NOT EXISTS good_went AFTER DELETE ON good BEGIN DELETE FROM settled; END;
`;

const SECOND = `
-- Outputs that a BuildKit has or had, for placement: it takes them without their bytes being sent again.
CREATE TABLE IF NOT EXISTS worker_has (
  worker   TEXT NOT NULL,     -- BuildKit's worker id, stable per root folder
  manifest TEXT NOT NULL,
  seen     INTEGER NOT NULL,  -- ms since the epoch
  PRIMARY KEY (worker, manifest)
) STRICT, WITHOUT ROWID;

-- Records that a remote is known to have: a run with nothing to build need not ask it.
CREATE TABLE IF NOT EXISTS pushed (
  remote      TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  manifest    TEXT NOT NULL,
  PRIMARY KEY (remote, fingerprint, manifest)
) STRICT, WITHOUT ROWID;
`;

const THIRD = `
DROP TABLE frozen;
DROP TABLE facts_cache;

-- The loaded tree: one row a tree. Apart from its files' stats, which are written more often.
CREATE TABLE IF NOT EXISTS tree_head (
  tree     TEXT PRIMARY KEY,
  key      TEXT NOT NULL,     -- core's treeKey
  warnings TEXT NOT NULL,     -- JSON
  head     TEXT NOT NULL      -- core's TreeHead as JSON
) STRICT;

-- What was read out of its recipes, in the last states of each (core's RecipeCache). A table with row numbers: lines are
-- too long for an index.
CREATE TABLE IF NOT EXISTS recipe_line (
  number INTEGER PRIMARY KEY,  -- grows with each line that is written
  tree   TEXT NOT NULL,
  dir    TEXT NOT NULL,
  key    TEXT NOT NULL,
  line   TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS recipe_line_dir ON recipe_line (tree, dir);
`;

/**
 * What each format added, the first one first: a database of an older format gets the rest. A text that was released is
 * never changed; whatever tables must become is a new one at the end.
 */
export const FORMATS: readonly string[] = [FIRST, SECOND, THIRD];

/** The tables of a format, as `made` says them. */
export function tablesOf(format: number): string {
  return FORMATS.slice(0, format).join('');
}
