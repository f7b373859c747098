import { BASE } from '../base.js';

/** Under which local storage lists the recordings that are in the browser's private storage. */
export const KEPT = `signalpost:recordings:${BASE}`;
