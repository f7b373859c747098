/**
 * How to allow camera and microphone again, in this browser. Each says where to press first; the words are those of the browser.
 *
 * @param {string} userAgent
 */
export function howToAllow(userAgent) {
  if (/iPhone|iPad/.test(userAgent)) return 'To allow them: in Settings, open Apps, then your browser, and allow camera and microphone. Then reload this page.';
  if (/Firefox\//.test(userAgent)) return 'To allow them: press the crossed-out camera or microphone beside the address, and remove “Blocked”. Then try again.';
  if (/Android/.test(userAgent)) return 'To allow them: press the icon beside the address, then “Permissions”. If they are not listed, allow them to the browser in the phone’s settings.';
  if (/Chrome\//.test(userAgent)) return 'To allow them: press the icon left of the address, and switch on camera and microphone. Also look into the system’s privacy settings.';
  if (/Safari\//.test(userAgent)) return 'To allow them: in the menu “Safari”, open “Settings for this website”, and allow camera and microphone.';
  return 'To allow them: press the icon beside the address, and look for permissions.';
}
