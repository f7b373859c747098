/** In a page: the man in the middle of two peers. */
export function between() {
  /** By the peer that a connection is with, and the one for which it stands. @type {Map<string, RTCPeerConnection & { chat: RTCDataChannel }>} */
  const ends = new Map();
  const texts = [];

  function connect(peer, other) {
    const pc = new RTCPeerConnection();
    pc.chat = pc.createDataChannel('chat', { negotiated: true, id: 0 });
    pc.chat.onmessage = ({ data }) => {
      texts.push(data);
      ends.get(`${other} ${peer}`)?.chat.send(data);
    };
    ends.get(`${peer} ${other}`)?.close();
    ends.set(`${peer} ${other}`, pc);
    return pc;
  }

  /** Everything that one end receives, the other sends. */
  function mirror(one, other) {
    const [ours, theirs] = [one.getTransceivers(), other.getTransceivers()];
    const stream = new MediaStream();
    for (const { receiver } of ours.slice(theirs.length)) other.addTransceiver(receiver.track.kind, { streams: [stream] });
    other.getTransceivers().forEach(({ sender, receiver }, at) => {
      ours[at].direction = 'sendrecv';
      void sender.replaceTrack(ours[at].receiver.track);
      void ours[at].sender.replaceTrack(receiver.track);
    });
  }

  /** With its candidates, so that it needs no further messages. */
  async function whole(pc) {
    await pc.setLocalDescription();
    while (pc.iceGatheringState !== 'complete') await new Promise((resolve) => pc.addEventListener('icegatheringstatechange', resolve, { once: true }));
    return pc.localDescription.sdp;
  }

  window.between = {
    /** Takes the description of one peer, and returns its own for the other. */
    async describe(from, to, { type, sdp }) {
      const open = sdp.startsWith('v=');
      if (type === 'offer') {
        const [one, other] = [connect(from, to), connect(to, from)];
        if (open) {
          await one.setRemoteDescription({ type, sdp });
          mirror(one, other);
        }
        return whole(other);
      }
      const [one, other] = [ends.get(`${from} ${to}`), ends.get(`${to} ${from}`)];
      if (!open || one?.signalingState !== 'have-local-offer') return null;
      await one.setRemoteDescription({ type, sdp });
      return whole(other);
    },
    async candidate(from, to, candidate) {
      await ends.get(`${from} ${to}`)?.addIceCandidate(candidate?.candidate ? candidate : null).catch(() => {});
      return null;
    },
    overheard: () => ({ texts, states: [...ends.values()].map(({ connectionState }) => connectionState) }),
  };
}
