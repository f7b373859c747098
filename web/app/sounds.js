import { lastingStorage } from '../client/index.js';
import { BASE } from './base.js';

const KEY = `signalpost:sounds:${BASE}`;

/** The pitches of each sound, one after the other. */
const NOTES = { joined: [523, 784], calling: [784, 659, 784], message: [880] };
const NOTE_S = 0.12;
const LOUDNESS = 0.08;

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
  if (!soundsOn() || typeof AudioContext === 'undefined') return;
  const context = new AudioContext();
  const volume = new GainNode(context, { gain: LOUDNESS });
  volume.connect(context.destination);
  NOTES[sound].forEach((frequency, at) => {
    const note = new OscillatorNode(context, { frequency });
    note.connect(volume);
    note.start(at * NOTE_S);
    note.stop((at + 1) * NOTE_S);
    if (at === NOTES[sound].length - 1) note.onended = () => void context.close();
  });
}
