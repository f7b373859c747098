import { say } from '../languages/say.js';

/**
 * How to allow camera and microphone again, in this browser. Each says where to press first; the words are those of the browser.
 *
 * @param {string} userAgent
 */
export function howToAllow(userAgent) {
  if (/iPhone|iPad/.test(userAgent)) return say('allow-ios');
  if (/Firefox\//.test(userAgent)) return say('allow-firefox');
  if (/Android/.test(userAgent)) return say('allow-android');
  if (/Chrome\//.test(userAgent)) return say('allow-chrome');
  if (/Safari\//.test(userAgent)) return say('allow-safari');
  return say('allow-other');
}
