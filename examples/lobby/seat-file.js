import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';

/**
 * A `storage` for `join` that keeps the seat in a file, as a tab keeps it in its session. With the seat anybody can speak as
 * this program, so only its owner may read it.
 */
export function seatFile(path) {
  const load = () => {
    try {
      return JSON.parse(readFileSync(path, 'utf8'));
    } catch {
      // The first start, or the file is damaged: then this program joins as a new peer.
      return {};
    }
  };
  const save = (entries) => {
    // Replaced as a whole, so that a crash leaves the old seat or the new one.
    const draft = `${path}.${process.pid}`;
    rmSync(draft, { force: true });
    writeFileSync(draft, JSON.stringify(entries), { mode: 0o600 });
    renameSync(draft, path);
  };
  return {
    getItem: (key) => load()[key] ?? null,
    setItem: (key, value) => save({ ...load(), [key]: value }),
    removeItem: (key) => save({ ...load(), [key]: undefined }),
  };
}
