import { Preferences } from './preferences.js';

const preferences = new Preferences();

/** Safari on phones and older browsers leave the choice to the system. */
export function canChooseSpeaker() {
  return 'setSinkId' in HTMLMediaElement.prototype;
}

/** From now on, all sound comes from this device. @param {string} deviceId */
export async function chooseSpeaker(deviceId) {
  preferences.set('speaker', deviceId);
  await Promise.all([...document.querySelectorAll('video')].map(toSpeaker));
}

/** Plays on the speaker that was chosen, if it is there. @param {HTMLMediaElement} element */
export async function toSpeaker(element) {
  const chosen = preferences.all.get('speaker');
  if (!canChooseSpeaker() || element.muted || chosen === undefined) return;
  try {
    await element.setSinkId(chosen === 'default' ? '' : chosen);
  } catch {
    // It was unplugged, or is not allowed in this visit: the default one plays.
  }
}
