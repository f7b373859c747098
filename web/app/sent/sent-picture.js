import { show } from '../languages/document.js';
import { isolatedName } from '../names.js';
import { inside, part } from '../page.js';
import { Adapting, ENCODING, outgoingOf } from './adapting.js';
import { sentPreference } from './preference.js';

/** @import { Call, Link } from '../../client/types.d.ts' */
/** @import { Size } from './adapting.js' */

const LOOK_MS = 2_000;

/**
 * Sends each peer a picture as large as the user wants or the line carries, for as long as the call lasts. Browsers send fewer bits by
 * themselves, but keep the size for long, so that little is left for the sound.
 *
 * @param {Call} call
 */
export function followSentPicture(call) {
  /** @type {Map<RTCPeerConnection, Adapting>} */
  const known = new Map();
  const look = async () => {
    for (const link of call.links.values()) await adapt(link, known).catch(() => {});
    for (const pc of known.keys()) if (pc.connectionState === 'closed') known.delete(pc);
  };
  const list = part('sent-picture', HTMLSelectElement);
  const timer = setInterval(() => {
    if (call.active) return void look();
    clearInterval(timer);
    list.removeEventListener('change', look);
  }, LOOK_MS);
  list.addEventListener('change', look);
  void look();
}

/**
 * @param {Link} link
 * @param {Map<RTCPeerConnection, Adapting>} known
 */
async function adapt({ pc, peer, state }, known) {
  if (!pc || state !== 'connected') return;
  const adapting = known.get(pc) ?? new Adapting();
  known.set(pc, adapting);
  const preference = sentPreference();
  const byItself = adapting.look(outgoingOf([...(await pc.getStats()).values()]));
  const size = preference === 'auto' ? byItself : preference;
  for (const sender of pc.getSenders()) {
    // The letters on a shared screen must stay legible.
    if (sender.track?.kind === 'video' && sender.track.contentHint !== 'detail') await encode(sender, size);
  }
  tell(peer, size, preference === 'auto');
}

/**
 * @param {RTCRtpSender} sender
 * @param {Size} size
 */
async function encode(sender, size) {
  const parameters = sender.getParameters();
  const [encoding] = parameters.encodings ?? [];
  const wanted = ENCODING[size];
  if (!encoding || ((encoding.scaleResolutionDownBy ?? 1) === wanted.scaleResolutionDownBy && encoding.maxBitrate === wanted.maxBitrate)) return;
  delete encoding.maxBitrate;
  delete encoding.maxFramerate;
  Object.assign(encoding, wanted);
  await sender.setParameters(parameters);
}

/**
 * In the panel *Connection*.
 *
 * @param {import('../../client/types.d.ts').Peer} peer
 * @param {Size} size
 * @param {boolean} byItself
 */
function tell(peer, size, byItself) {
  const card = part('connections', HTMLElement).querySelector(`[data-peer="${CSS.escape(peer.id)}"]`);
  if (!card) return;
  const view = inside(card, 'sent');
  view.hidden = size === 'full';
  if (!view.hidden) show(view, byItself ? 'sent-less-by-itself' : 'sent-less-by-hand', { name: isolatedName(peer) });
}
