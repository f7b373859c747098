import { readFileSync } from 'node:fs';

const MTU = 1100;

/** What packets.py wrote. @param {string} file */
export function readPackets(file) {
  const all = readFileSync(file, 'ascii').trim().split('\n').map((line) => JSON.parse(line));
  const of = (kind) => all.filter((one) => one.kind === kind).map(({ data }) => Buffer.from(data, 'base64'));
  return { video: of('video'), audio: of('audio') };
}

/** One source of RTP (RFC 3550), sent over a track of libdatachannel. */
export class Source {
  #sequence = Math.floor(Math.random() * 30_000);
  #time = Math.floor(Math.random() * 2 ** 31);

  /**
   * @param {{ isOpen(): boolean, sendMessageBinary(data: Buffer): boolean }} track
   * @param {{ ssrc: number, payloadType: number, step: number, vp8: boolean }} format `step`: of the clock, from one frame to the next
   */
  constructor(track, format) {
    Object.assign(this, { track, ...format });
  }

  /** @param {Buffer} frame */
  send(frame) {
    this.#time = (this.#time + this.step) >>> 0;
    const pieces = this.vp8 ? vp8Pieces(frame) : [frame];
    pieces.forEach((payload, at) => this.#packet(payload, !this.vp8 || at === pieces.length - 1));
  }

  #packet(payload, marker) {
    const head = Buffer.alloc(12);
    head[0] = 0x80;
    head[1] = this.payloadType | (marker && this.vp8 ? 0x80 : 0);
    head.writeUInt16BE((this.#sequence += 1) & 0xffff, 2);
    head.writeUInt32BE(this.#time, 4);
    head.writeUInt32BE(this.ssrc, 8);
    if (this.track.isOpen()) this.track.sendMessageBinary(Buffer.concat([head, payload]));
  }
}

/** A frame as the payloads of packets (RFC 7741, section 4.2): S marks the first. @param {Buffer} frame */
function vp8Pieces(frame) {
  const count = Math.ceil(frame.length / MTU);
  return Array.from({ length: count }, (_, at) => Buffer.concat([Buffer.from([at === 0 ? 0x10 : 0]), frame.subarray(at * MTU, (at + 1) * MTU)]));
}
