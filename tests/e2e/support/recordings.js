import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { eventually } from './eventually.js';
import { python } from './native.js';

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

/** The content of a file in the origin's private storage; null if there is none. */
export async function privateFile(page, ...path) {
  const content = await page.evaluate(async function read(path) {
    try {
      let folder = await navigator.storage.getDirectory();
      for (const name of path.slice(0, -1)) folder = await folder.getDirectoryHandle(name);
      const bytes = new Uint8Array(await (await (await folder.getFileHandle(path.at(-1))).getFile()).arrayBuffer());
      return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(''));
    } catch (error) {
      if (error.name === 'NotFoundError') return null;
      // It was written to meanwhile.
      if (error.name === 'NotReadableError') return read(path);
      throw error;
    }
  }, path);
  return content === null ? null : Buffer.from(content, 'base64');
}

/** The names of the recordings in the origin's private storage. */
export function stored(page) {
  return page.evaluate(async () => {
    const names = [];
    const root = await navigator.storage.getDirectory();
    for await (const name of (await root.getDirectoryHandle('signalpost-recordings', { create: true })).keys()) names.push(name);
    return names;
  });
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

/**
 * Waits until this many seconds are in the file that is being written, with enough pictures: a busy machine encodes few of them, late, and
 * none at all for seconds.
 *
 * @param {number} since changes of the picture are counted from this second
 */
export async function recorded(page, seconds, { since = 0 } = {}) {
  const isThere = async () => {
    const [name] = await stored(page);
    const content = name && await privateFile(page, 'signalpost-recordings', name);
    // Its last picture may be written only in part.
    const found = content?.length ? await probe(content).catch(() => null) : null;
    return found && found.seconds >= seconds && found.video.frames >= 5 && changesSince(found, since) >= 3;
  };
  await eventually(() => page.evaluate(shows, seconds), `${seconds} s have passed`);
  await eventually(isThere, `${seconds} s are recorded, with pictures`);
}

/** In a page. */
function shows(seconds) {
  const [minute, second] = document.querySelector('#recording-time').textContent.split(':').map(Number);
  return minute * 60 + second >= seconds;
}

export const changesSince = ({ video }, since) => (video.changes ?? []).filter((time) => time >= since).length;

/** Fails unless it is a recording of about this many seconds or more, with pictures and audible sound. */
export function plays(found, seconds, { silent = false } = {}) {
  const said = JSON.stringify(found);
  assert.ok(found.seconds >= seconds - 0.5, `the file says how long it is: ${said}`);
  assert.deepEqual([found.video.width, found.video.height], [1280, 720], said);
  assert.ok(found.video.frames >= 5 && changesSince(found, 0) >= 3 && found.video.contrast > 60, `pictures: ${said}`);
  assert.ok(found.audio.frames >= 10 && (silent ? found.audio.peak < 300 : found.audio.peak > 300), `sound: ${said}`);
}
