//! The bodies of WHIP and WHEP: descriptions and fragments of them.

use actix_web::web::Bytes;

use crate::{
    api::{
        Call, Code, FromRequest, Problem,
        json::body::{body_problem, check_encoding},
        whip::media_type::MediaType,
    },
    transport::{
        body::{Body, BodyError},
        known_header::KnownHeader,
        limits::memory_budget::Reservation,
    },
};

/// A body that has not been read yet, of the declared type.
struct SdpBody {
    body: Body,
    content_length: Option<usize>,
    reservation: Reservation,
}

/// `application/sdp`
pub struct DescriptionBody(SdpBody);

/// `application/trickle-ice-sdpfrag`
pub struct FragmentBody(SdpBody);

const PROBLEMS: [Code; 4] = [Code::MalformedBody, Code::BodyTimeout, Code::BodyTooLarge, Code::SdpExpected];

impl FromRequest for DescriptionBody {
    const PROBLEMS: &[Code] = &PROBLEMS;

    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        SdpBody::declared(call, MediaType::DESCRIPTION).map(Self)
    }
}

impl FromRequest for FragmentBody {
    const PROBLEMS: &[Code] = &PROBLEMS;

    fn from_request(call: &Call<'_>) -> Result<Self, Problem> {
        SdpBody::declared(call, MediaType::FRAGMENT).map(Self)
    }
}

impl DescriptionBody {
    pub async fn read(self, limit: usize) -> Result<Bytes, Problem> {
        self.0.read(limit).await
    }
}

impl FragmentBody {
    pub async fn read(self, limit: usize) -> Result<Bytes, Problem> {
        self.0.read(limit).await
    }
}

impl SdpBody {
    fn declared(call: &Call<'_>, expected: MediaType) -> Result<Self, Problem> {
        let declared = call.headers().text(KnownHeader::ContentType).and_then(|text| text.split(';').next());
        let is_expected = declared.is_some_and(|declared| declared.trim().eq_ignore_ascii_case(expected.name));
        let refused = match is_expected {
            true => check_encoding(call.headers(), Code::SdpExpected),
            false => {
                let detail = format!("The body needs `Content-Type: {}`.", expected.name);
                Err(Problem::new(Code::SdpExpected, detail))
            }
        };
        refused.map_err(|problem| problem.with_field(expected.field, expected.name))?;
        Ok(Self {
            body: call.request.take_body(),
            content_length: call.request.content_length(),
            reservation: call.api.connections.memory.reservation(Some(call.address())),
        })
    }

    async fn read(self, limit: usize) -> Result<Bytes, Problem> {
        if self.content_length.is_some_and(|length| length > limit) {
            return Err(body_problem(BodyError::TooLong, limit));
        }
        self.body.read(limit, self.reservation).await.map_err(|error| body_problem(error, limit))
    }
}
