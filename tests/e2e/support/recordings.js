import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { eventually } from './eventually.js';
import { python } from './native.js';

/** Where the page keeps them. */
export const FOLDER = 'signalpost-recordings';
const PROBE = new URL('../native/probe.py', import.meta.url).pathname;

/** For `prepare`: a browser that cannot ask where to save a file, as Firefox and Safari. */
export function withoutPicker() {
  delete window.showSaveFilePicker;
}

/** For `prepare`: the user chooses a file, which is in the origin's private storage, because nobody can click in the system's dialog. */
export function withPicker() {
  window.showSaveFilePicker = async ({ suggestedName }) => {
    if (window.pickerFails) throw new DOMException('', window.pickerFails);
    window.suggested = suggestedName;
    return (await navigator.storage.getDirectory()).getFileHandle('chosen.webm', { create: true });
  };
}

/** The content of a file in the origin's private storage; null if there is none, or if it was written to meanwhile. */
export async function privateFile(page, ...path) {
  const content = await page.evaluate(async (path) => {
    try {
      let folder = await navigator.storage.getDirectory();
      for (const name of path.slice(0, -1)) folder = await folder.getDirectoryHandle(name);
      const bytes = new Uint8Array(await (await (await folder.getFileHandle(path.at(-1))).getFile()).arrayBuffer());
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    } catch (error) {
      if (['NotFoundError', 'NotReadableError'].includes(error.name)) return null;
      throw error;
    }
  }, path);
  return content === null ? null : Buffer.from(content, 'base64');
}

/** The names of the recordings in the origin's private storage. */
export function stored(page) {
  return page.evaluate(async (folder) => {
    const names = [];
    const root = await navigator.storage.getDirectory();
    for await (const name of (await root.getDirectoryHandle(folder, { create: true })).keys()) names.push(name);
    return names;
  }, FOLDER);
}

/** Decodes all of a recording: with FFmpeg, by PyAV. */
export async function probe(content) {
  const folder = await mkdtemp(join(tmpdir(), 'recording-'));
  try {
    await writeFile(join(folder, 'file'), content);
    const { stdout } = await promisify(execFile)(python, [PROBE, join(folder, 'file')]);
    return JSON.parse(stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The newest of them, if all are of one room: their names are in the order of time. */
export const latest = async (page) => (await stored(page)).sort().at(-1);

/**
 * Waits until the file that is being written plays, and says that it is this long. A busy machine encodes few pictures, late, and none at all
 * for seconds.
 *
 * @param {number} [since] there are changes of the picture after this second
 */
export async function recorded(page, seconds, { since = 0, silent = false } = {}) {
  let size = 0;
  let lacks = ['all'];
  const isThere = async () => {
    const name = await latest(page);
    const grown = name ? await page.evaluate(sizeOf, [FOLDER, name]) : 0;
    if (grown === size) return false;
    size = grown;
    // Its last picture may be written only in part.
    lacks = await probe(await privateFile(page, FOLDER, name)).then((found) => lacking(found, seconds, { since, silent }), (error) => [error.message]);
    return lacks.length === 0;
  };
  await eventually(() => page.evaluate(shows, seconds), `${seconds} s have passed`);
  await eventually(isThere, () => `a recording that plays; it lacks ${lacks.join(', ')}`);
}

/** In a page. Recordings grow once a second. */
async function sizeOf([folder, name]) {
  const handle = await (await navigator.storage.getDirectory()).getDirectoryHandle(folder);
  return (await (await handle.getFileHandle(name)).getFile()).size;
}

/** In a page. */
function shows(seconds) {
  const [minute, second] = document.querySelector('#recording-time').textContent.split(':').map(Number);
  return minute * 60 + second >= seconds;
}

/** What a recording of this many seconds lacks: nothing if it has that length, pictures, and audible sound. */
function lacking({ seconds: length, video, audio }, seconds, { since = 0, silent = false } = {}) {
  const lacks = [];
  if (!(length >= seconds)) lacks.push(`length: ${length} s`);
  if (!(video?.width === 1280 && video.height === 720)) lacks.push('size');
  if (!(video?.frames >= 5 && video.contrast > 60 && video.changes.filter((time) => time >= since).length >= 3)) lacks.push('pictures');
  if (!(audio?.frames >= 10 && (silent ? audio.peak < 300 : audio.peak > 300))) lacks.push('sound');
  return lacks;
}

/** Fails unless it is a recording of this many seconds or more, with pictures and audible sound. */
export function plays(found, seconds, how) {
  assert.deepEqual(lacking(found, seconds, how), [], JSON.stringify(found));
}
