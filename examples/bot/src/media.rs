//! Picture and sound: sent back, or refused.

use str0m::Rtc;
use str0m::media::{KeyframeRequest, MediaData};

/// Sends what a peer sends back to it, if it wants that.
pub fn echo(rtc: &mut Rtc, data: MediaData) {
    let wanted = rtc.media(data.mid).is_some_and(|media| media.direction().is_sending());
    let Some(writer) = rtc.writer(data.mid).filter(|_| wanted) else { return };
    if let Some(format) = writer.match_params(data.params) {
        // What cannot be sent back is lost, as in any network.
        let _ = writer.write(format, data.network_time, data.time, data.data);
    }
}

/// The peer cannot decode what it gets, so it needs a whole picture: from itself.
pub fn request(rtc: &mut Rtc, request: KeyframeRequest) {
    if let Some(mut writer) = rtc.writer(request.mid) {
        // Fails if the peer said that it does not understand such requests.
        let _ = writer.request_keyframe(request.rid, request.kind);
    }
}

/// The offer of a peer with which no media are exchanged. str0m takes whatever is offered, and has nothing to refuse it with but this:
/// an answer to `inactive` is `inactive`, too (RFC 3264, section 6.1).
pub fn without(offer: &str) -> String {
    let line = |line| match str::trim_end(line) {
        "a=sendrecv" | "a=sendonly" | "a=recvonly" => "a=inactive\r\n".to_owned(),
        _ => format!("{line}\r\n"),
    };
    offer.lines().map(line).collect()
}
