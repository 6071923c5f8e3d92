/**
 * The ledgers of verified files, kept in the state database.
 *
 * Read once, written in batches: a lost entry costs a reading, so it is not worth an fsync of its own.
 */
import { isDigest } from '@stx-make/core/oci/digest';
import type { Digest } from '@stx-make/core/oci/model';
import type { FileStamp, SourceLedger } from '../sources/model.ts';
import type { BlobLedger, LayerFacts, Stamp } from '../store/ledger.ts';
import type { Database } from './database.ts';
import { seal, unseal } from './seal.ts';

/** Verified files of one kind, by digest. */
interface StampLedger {
  stamp(digest: string): Stamp | undefined;
  remember(digest: string, stamp: Stamp): void;
  keep(digest: string): void;
  forget(digest: string): void;
}

export interface Ledgers {
  readonly blobs: BlobLedger;
  readonly sources: SourceLedger;
  /** Something was learnt since the last flush. */
  readonly changed: boolean;
  /** Writes what was learnt since the last time; part of the caller's transaction where there is one. */
  flush(): void;
}

export function openLedgers(database: Database): Ledgers {
  const blobs = stampLedger(database, 'blob');
  const sources = stampLedger(database, 'source');
  const layers = layerLedger(database);
  return {
    blobs: { ...blobs.ledger, ...layers.ledger },
    sources: {
      isGood: (sha256, stamp) => sources.ledger.stamp(sha256) === textOf(stamp),
      note: (sha256, stamp) => {
        sources.ledger.remember(sha256, textOf(stamp));
        sources.ledger.keep(sha256);
      },
    },
    get changed() {
      return blobs.pending.size + sources.pending.size + layers.pending.size > 0;
    },
    flush: () => {
      blobs.flush();
      sources.flush();
      layers.flush();
    },
  };
}

function textOf({ size, mtimeNs, ino }: FileStamp): Stamp {
  return `${size}:${mtimeNs}:${ino}`;
}

interface Flushed<Ledger> {
  readonly ledger: Ledger;
  readonly pending: { readonly size: number };
  readonly flush: () => void;
}

function stampLedger(database: Database, kind: string): Flushed<StampLedger> {
  // Read when first asked for: a run that is settled asks nothing.
  let read: Map<string, Stamp> | undefined;
  const known = (): Map<string, Stamp> => {
    read ??= new Map(
      database
        .all<{ digest: string; stamp: string }>('SELECT digest, stamp FROM good WHERE kind = ?', kind)
        .map((row) => [row.digest, row.stamp]),
    );
    return read;
  };
  /** Known to this process only. */
  const unkept = new Set<string>();
  /** null: forget. */
  const pending = new Map<string, Stamp | null>();
  return {
    ledger: {
      stamp: (digest) => known().get(digest),
      remember: (digest, stamp) => {
        if (known().get(digest) === stamp) return;
        // What was noted before is of other bytes.
        if (known().has(digest) && !unkept.has(digest)) pending.set(digest, null);
        known().set(digest, stamp);
        unkept.add(digest);
      },
      keep: (digest) => {
        const stamp = known().get(digest);
        if (stamp !== undefined && unkept.delete(digest)) pending.set(digest, stamp);
      },
      forget: (digest) => {
        unkept.delete(digest);
        if (known().delete(digest)) pending.set(digest, null);
      },
    },
    pending,
    flush: () => {
      for (const [digest, stamp] of pending) {
        if (stamp === null) database.run('DELETE FROM good WHERE kind = ? AND digest = ?', kind, digest);
        else
          database.run(
            'INSERT OR REPLACE INTO good (kind, digest, stamp) VALUES (?, ?, ?)',
            kind,
            digest,
            stamp,
          );
      }
      pending.clear();
    },
  };
}

function layerLedger(database: Database): Flushed<Pick<BlobLedger, 'layer' | 'rememberLayer'>> {
  const fresh = new Map<Digest, LayerFacts>();
  const pending = new Map<Digest, LayerFacts>();
  return {
    ledger: {
      layer: (digest) => {
        const known = fresh.get(digest);
        if (known !== undefined) return known;
        const row = database.get<{ diff_id: string; newest: number }>(
          'SELECT diff_id, newest FROM layer WHERE digest = ?',
          digest,
        );
        const diffId = row === undefined ? null : unseal(row.diff_id, digest, String(row.newest));
        if (row === undefined || diffId === null || !isDigest(diffId)) return undefined;
        const facts = { diffId, newest: row.newest };
        fresh.set(digest, facts);
        return facts;
      },
      rememberLayer: (digest, facts) => {
        fresh.set(digest, facts);
        pending.set(digest, facts);
      },
    },
    pending,
    flush: () => {
      for (const [digest, facts] of pending) {
        database.run(
          'INSERT OR REPLACE INTO layer (digest, diff_id, newest) VALUES (?, ?, ?)',
          digest,
          seal(facts.diffId, digest, String(facts.newest)),
          facts.newest,
        );
      }
      pending.clear();
    },
  };
}
