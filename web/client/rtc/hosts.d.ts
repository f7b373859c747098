import type { LinkState, Message, Trouble, Verified } from '../types.d.ts';
import type { Card } from './card.js';

/** What a link needs of its call. */
export interface LinkHost {
  equipment(): {
    configuration: RTCConfiguration;
    stream: MediaStream | null;
    shared: MediaStream | null;
    receive: boolean;
    channels: Record<string, number>;
  };
  isPolite(): boolean;
  canSignal(): boolean;
  isSealed(): boolean;
  trouble(): Trouble | null;
  leaseMs(): number;
  verified(verified: Verified, safetyNumber: string | null): void;
  send(message: Message): void;
  changed(state: LinkState): void;
  unanswered(attempts: number, final: boolean): void;
  channel(open: boolean): void;
  /** One of the application's channels has opened. */
  opened(channel: RTCDataChannel): void;
  stream(stream: MediaStream): void;
  data(data: unknown): void;
}

/** What a connection needs of its link. */
export interface ConnectionHost extends Pick<LinkHost, 'send' | 'channel' | 'opened' | 'stream' | 'data'> {
  /** Of the peer. */
  card: Card;
  /** Candidates that arrived before this description and belong to it. */
  early(sdp: string, isFirst: boolean): (RTCIceCandidateInit | null)[];
  /** An offer is needed. */
  needed(): void;
  /** The signaling state has changed. */
  signaling(): void;
  changed(): void;
}
