import { lastingStorage } from '../client/index.js';
import { BASE } from './base.js';

const KEY = `signalpost:sounds:${BASE}`;

/** The pitches of each sound, one after the other. */
const NOTES = { joined: [523, 784], calling: [784, 659, 784], message: [880] };
const NOTE_S = 0.12;
const LOUDNESS = 0.08;
/** A sound is not repeated sooner. */
const PAUSE_MS = 1_000;
const LONGEST_MS = 2_000;

/** When each sound was last played. @type {Map<Sound, number>} */
const played = new Map();

/** @typedef {keyof typeof NOTES} Sound */

/** Are sounds switched on? They are until they are switched off, for all visits. */
export function soundsOn() {
  return lastingStorage.getItem(KEY) !== 'off';
}

/** @param {boolean} on */
export function switchSounds(on) {
  lastingStorage.setItem(KEY, on ? 'on' : 'off');
}

/** @param {Sound} sound */
export function play(sound) {
  const now = performance.now();
  if (!soundsOn() || typeof AudioContext === 'undefined' || now - (played.get(sound) ?? -Infinity) < PAUSE_MS) return;
  played.set(sound, now);
  const context = new AudioContext();
  const volume = new GainNode(context, { gain: LOUDNESS });
  volume.connect(context.destination);
  NOTES[sound].forEach((frequency, at) => {
    const note = new OscillatorNode(context, { frequency });
    note.connect(volume);
    note.start(at * NOTE_S);
    note.stop((at + 1) * NOTE_S);
  });
  // By the clock: in a page that nobody has clicked the notes never end.
  setTimeout(() => void context.close(), LONGEST_MS);
}
