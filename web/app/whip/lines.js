import { toApiName } from '../room-name.js';

/**
 * Where an encoder or player calls (docs/whip.md).
 *
 * @param {string} link to the room, at the address of the server that others use
 * @param {string} room
 * @param {'whip' | 'whep'} kind
 * @param {{ name?: string, to?: string }} whom
 */
export function addressOf(link, room, kind, { name = '', to = '' }) {
  const url = new URL(`v1/rooms/${toApiName(room)}/${kind}`, link);
  const query = new URLSearchParams({ ...(name && { name }), ...(to && { to }) });
  // Programs that are given an address read `+` as it is.
  url.search = String(query).replaceAll('+', '%20');
  url.hash = '';
  return url.href;
}

/**
 * Commands that send a test picture and a tone, for a shell, through the relay if need be.
 *
 * @param {string} address
 * @param {string} token empty for none
 * @returns {{ program: string, command: string }[]}
 */
export function commands(address, token) {
  const video = 'videotestsrc is-live=true ! videoconvert ! queue';
  const audio = 'audiotestsrc is-live=true wave=ticks ! audioconvert ! audioresample ! queue';
  return [
    {
      program: 'GStreamer',
      command: `gst-launch-1.0 whipclientsink name=s signaller::use-link-headers=true signaller::whip-endpoint=${quoted(address)}${token && ` signaller::auth-token=${quoted(token)}`} ${video} ! s. ${audio} ! s.`,
    },
    {
      program: 'simple-whip-client',
      command: `whip-client -f -u ${quoted(address)}${token && ` -t ${quoted(token)}`}` +
        ` -V '${video} ! vp8enc deadline=1 keyframe-max-dist=60 ! rtpvp8pay pt=96 ssrc=2 ! queue ! application/x-rtp,media=video,encoding-name=VP8,payload=96'` +
        ` -A '${audio} ! opusenc ! rtpopuspay pt=100 ssrc=1 ! queue ! application/x-rtp,media=audio,encoding-name=OPUS,payload=100'`,
    },
  ];
}

/** For POSIX shells. @param {string} text */
function quoted(text) {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
