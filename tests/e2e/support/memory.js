import { closeSync, openSync, readFileSync, readSync } from 'node:fs';

const CHUNK_BYTES = 1 << 20;

/** Which of these texts are in the memory that a process can write to. Linux only; the process must be a child of this one. */
export function inMemory(pid, texts) {
  const needles = texts.map((text) => ({ text, bytes: Buffer.from(text) }));
  const found = new Set();
  const memory = openSync(`/proc/${pid}/mem`, 'r');
  try {
    for (const { from, to } of writable(pid)) search(memory, from, to, needles, found);
  } finally {
    closeSync(memory);
  }
  return texts.filter((text) => found.has(text));
}

function writable(pid) {
  const lines = readFileSync(`/proc/${pid}/maps`, 'utf8').trim().split('\n');
  return lines.flatMap((line) => {
    const [, from, to, mode] = /^([0-9a-f]+)-([0-9a-f]+) (\S+)/.exec(line);
    return mode.startsWith('rw') ? [{ from: parseInt(from, 16), to: parseInt(to, 16) }] : [];
  });
}

function search(memory, from, to, needles, found) {
  const overlap = Math.max(...needles.map(({ bytes }) => bytes.length));
  const buffer = Buffer.alloc(CHUNK_BYTES + overlap);
  for (let at = from; at < to; at += CHUNK_BYTES) {
    const length = Math.min(buffer.length, to - at);
    let read = 0;
    try {
      read = readSync(memory, buffer, 0, length, at);
    } catch {
      // Such as a guard page, or a region that is gone by now.
      continue;
    }
    const seen = buffer.subarray(0, read);
    for (const { text, bytes } of needles) if (seen.includes(bytes)) found.add(text);
  }
}
