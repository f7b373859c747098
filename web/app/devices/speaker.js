import { Preferences } from './preferences.js';

const preferences = new Preferences();

/** Safari on phones and older browsers leave the choice to the system. */
export function canChooseSpeaker() {
  return 'setSinkId' in HTMLMediaElement.prototype;
}

/** From now on, all sound comes from this device. @param {string} deviceId */
export async function chooseSpeaker(deviceId) {
  preferences.set('speaker', deviceId);
  await useChosen();
}

/** Uses the chosen speaker again as soon as it is back. */
export async function followSpeaker() {
  let known = await speakers();
  // Before the user has allowed any device there are no ids, and the speaker may have been there all the time.
  let isAllowed = known.size > 0;
  let looking = Promise.resolve();
  const look = async () => {
    const before = known;
    known = await speakers();
    const chosen = preferences.all.get('speaker') ?? '';
    const anew = isAllowed;
    isAllowed ||= known.size > 0;
    if (known.has(chosen) && !before.has(chosen)) await useChosen(anew);
  };
  navigator.mediaDevices?.addEventListener?.('devicechange', () => { looking = looking.then(look); });
}

/** Their ids. @returns {Promise<Set<string>>} */
async function speakers() {
  const devices = await navigator.mediaDevices?.enumerateDevices?.().catch(() => []) ?? [];
  return new Set(devices.filter(({ kind, deviceId }) => kind === 'audiooutput' && deviceId).map(({ deviceId }) => deviceId));
}

/** @param {boolean} [anew] also what was played there before: choosing the same again has no effect (Audio Output Devices API) */
function useChosen(anew = false) {
  return Promise.all([...document.querySelectorAll('video')].map(async (video) => {
    if (anew && canChooseSpeaker() && video.sinkId) await video.setSinkId('').catch(() => {});
    await toSpeaker(video);
  }));
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
