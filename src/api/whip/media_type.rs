//! What WHIP and WHEP accept, and where they say so.

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MediaType {
    pub name: &'static str,
    /// The header field of a response that names it.
    pub field: &'static str,
}

impl MediaType {
    pub const DESCRIPTION: Self = Self { name: "application/sdp", field: "accept-post" };
    /// RFC 8840.
    pub const FRAGMENT: Self = Self { name: "application/trickle-ice-sdpfrag", field: "accept-patch" };

    /// What is accepted at this path.
    pub fn at(path: &str) -> Option<Self> {
        let (_, path) = path.split_once("/v1/rooms/")?;
        match path.split('/').collect::<Vec<_>>()[..] {
            [_, "whip" | "whep"] => Some(Self::DESCRIPTION),
            [_, "sessions", _] => Some(Self::FRAGMENT),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_endpoints_and_sessions_accept_descriptions() {
        for (path, accepted) in [
            ("/v1/rooms/tea/whip", Some(MediaType::DESCRIPTION)),
            ("/base/v1/rooms/whip/whep", Some(MediaType::DESCRIPTION)),
            ("/v1/rooms/tea/sessions/x", Some(MediaType::FRAGMENT)),
            ("/v1/rooms/whip", None),
            ("/v1/rooms/tea/peers/whip", None),
            ("/whip", None),
        ] {
            assert_eq!(MediaType::at(path), accepted, "{path}");
        }
    }
}
