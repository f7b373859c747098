import { inOneLine, legible } from '../names.js';

/** Separators of paths, and what Windows does not allow. */
const FORBIDDEN = /[/\\:*?"<>|\u0000-\u001f\u007f]/g;
/** Devices of Windows, whatever comes after a dot. */
const DEVICES = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?=\.|$)/i;
/** Most file systems allow 255 bytes, and browsers add something while they save. */
const MAX_BYTES = 200;
/** More is no extension, but a part of the name. */
const MAX_EXTENSION = 20;

/**
 * A file name from elsewhere, fit to be shown and to be saved under: in one folder, visible, and without marks that would make
 * `photo\u202Egpj.exe` look like a picture.
 *
 * @param {string} name
 */
export function safeName(name) {
  const plain = legible(inOneLine(name.normalize('NFC').replace(FORBIDDEN, '_'))).replace(/^[.\s]+|[.\s]+$/g, '');
  return shortened(plain.replace(DEVICES, '_$1')) || 'file';
}

/** Shortens the name and not the extension, which says what the file is. @param {string} name */
function shortened(name) {
  const dot = name.lastIndexOf('.');
  const extension = dot > 0 && name.length - dot <= MAX_EXTENSION ? name.slice(dot) : '';
  const stem = extension ? name.slice(0, dot) : name;
  const room = MAX_BYTES - bytesOf(extension);
  if (bytesOf(stem) <= room) return name;
  let [kept, bytes] = ['', 0];
  for (const letter of stem) {
    bytes += bytesOf(letter);
    if (bytes > room - bytesOf('…')) break;
    kept += letter;
  }
  return `${kept}…${extension}`;
}

/** @param {string} text */
function bytesOf(text) {
  return new TextEncoder().encode(text).length;
}
