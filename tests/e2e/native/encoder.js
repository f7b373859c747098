// A stand-in for OBS, which has libdatachannel, too: encoder.js ENDPOINT PACKETS [TOKEN]. WHIP_BIND is the address of its media.
// With WHIP_LINKS it uses the relay that the answer names in `Link`, as OBS does since version 30.2. OBS gathers after the answer,
// which these bindings cannot, so a first call only fetches the names.
//
// As OBS: no candidate in the offer, 201 within 8 seconds or nothing, no PATCH, a new connection when the one it has fails, DELETE when it is
// stopped (`["stop"]` on stdin). Without an encoder in it, it sends what packets.py has encoded, over and over.
import { createInterface } from 'node:readline';

import ndc from 'node-datachannel';

import { Source, readPackets } from './rtp.js';

const [endpoint, packets, token = ''] = process.argv.slice(2);
const PATIENCE_MS = 8_000;
const PAUSE_MS = 2_000;
const tell = (event, more = {}) => process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
const { WHIP_BIND: bindAddress = '127.0.0.1' } = process.env;
const authorization = token ? { authorization: `Bearer ${token}` } : {};
const media = readPackets(packets);
if (process.env.NDC_LOG) ndc.initLogger('Debug', (level, text) => process.stderr.write(`${level} ${text}\n`));

/** The relays over UDP that the fields name; libdatachannel has no others. @param {string} links */
function relaysIn(links) {
  const named = [...links.matchAll(/<turn:([^:>]+):(\d+)\?transport=udp>[^<]*username="([^"]+)"; credential="([^"]+)"/g)];
  return named.map(([, hostname, port, username, password]) => ({ hostname, port: Number(port), username, password, relayType: 'TurnUdp' }));
}

/** Known after the first call. @type {object[] | null} */
let relays = process.env.WHIP_LINKS ? null : [];

/** One attempt, and the connection that comes of it. */
class Stream {
  #timers = [];
  #pc = new ndc.PeerConnection('encoder', { iceServers: relays ?? [], bindAddress, disableAutoNegotiation: true });

  constructor() {
    this.failed = new Promise((resolve) => { this.fail = resolve; });
    this.#pc.onStateChange((state) => {
      tell('state', { state, pair: this.#pc.getSelectedCandidatePair() });
      if (state === 'connected') this.#send();
      if (state === 'failed' || state === 'disconnected' || state === 'closed') this.fail(state);
    });
    this.video = this.#track(new ndc.Video('video', 'SendOnly'), (one) => one.addVP8Codec(96), 1001);
    this.audio = this.#track(new ndc.Audio('audio', 'SendOnly'), (one) => one.addOpusCodec(111), 1002);
  }

  #track(description, addCodec, ssrc) {
    addCodec(description);
    description.addSSRC(ssrc, 'obs', 'obs', `obs-${ssrc}`);
    return this.#pc.addTrack(description);
  }

  async #offer() {
    const gathered = new Promise((resolve) => this.#pc.onGatheringStateChange((state) => state === 'complete' && resolve()));
    this.#pc.setLocalDescription('offer');
    await gathered;
    return this.#pc.localDescription().sdp.replace(/^a=(candidate:.*|end-of-candidates)\r\n/gm, '');
  }

  async call() {
    const body = await this.#offer();
    tell('try');
    const response = await fetch(endpoint, { method: 'POST', headers: { 'content-type': 'application/sdp', ...authorization }, body, signal: AbortSignal.timeout(PATIENCE_MS) });
    const text = await response.text();
    tell('answer', { status: response.status, links: response.headers.get('link'), text });
    if (response.status !== 201) throw new Error(`${response.status}`);
    // Where it was answered: perhaps elsewhere than it was asked.
    this.session = new URL(response.headers.get('location'), response.url);
    if (!relays) {
      relays = relaysIn(response.headers.get('link') ?? '');
      // It keeps the seat: the relay refuses those who have none.
      throw new Error(`${relays.length} relays`);
    }
    this.#pc.setRemoteDescription(text, 'answer');
  }

  #send() {
    const sources = [
      { source: new Source(this.video, { ssrc: 1001, payloadType: 96, step: 6000, vp8: true }), frames: media.video, everyMs: 1000 / 15 },
      { source: new Source(this.audio, { ssrc: 1002, payloadType: 111, step: 960, vp8: false }), frames: media.audio, everyMs: 20 },
    ];
    for (const { source, frames, everyMs } of sources) {
      let sent = 0;
      const started = performance.now();
      // Timers are late under load; what is due is sent.
      this.#timers.push(setInterval(() => { for (; sent < (performance.now() - started) / everyMs; sent += 1) source.send(frames[sent % frames.length]); }, everyMs));
    }
  }

  close() {
    this.#timers.forEach(clearInterval);
    this.#pc.close();
  }

  async stop() {
    const response = this.session && await fetch(this.session, { method: 'DELETE', headers: authorization });
    tell('stopped', { status: response?.status });
    this.close();
  }
}

let stream;
createInterface({ input: process.stdin }).on('line', async (line) => {
  const [command] = JSON.parse(line);
  if (command === 'stop') await stream.stop();
  process.exit();
});

for (;;) {
  stream = new Stream();
  try {
    await stream.call();
    await stream.failed;
  } catch (error) {
    tell('refused', { text: String(error) });
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
  stream.close();
}
