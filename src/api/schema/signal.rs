//! The schemas of messages in requests. Members besides those named are relayed, too.

use serde_json::Value;
use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        RefOr, Schema,
        schema::{KnownFormat, ObjectBuilder, SchemaFormat, SchemaType, Type},
    },
};

/// A message from one peer to another. `offer` and `answer` have the form of `JSON.stringify(pc.localDescription)`, and
/// `candidate` that of `candidate.toJSON()` (W3C WebRTC 1.0); `null` is the end of candidates (RFC 8838 section 8.2).
/// Up to 15 members besides those named are relayed as they are, except for `seq` and `from`, which the server sets.
#[derive(ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
#[allow(dead_code, reason = "only described")]
enum AnySignal {
    /// An SDP offer (RFC 8829).
    Offer { sdp: String },
    /// An SDP answer (RFC 8829).
    Answer { sdp: String },
    /// An ICE candidate (RFC 8839), or null for the end of candidates.
    Candidate {
        #[schema(value_type = Option<HashMap<String, Value>>, required)]
        candidate: Option<Value>,
    },
    /// Ends the call with that peer; the sender stays in the room.
    Bye {
        #[schema(nullable = false)]
        reason: Option<String>,
    },
    /// Any data that the app defines.
    Data {
        #[schema(value_type = Value)]
        data: Value,
    },
}

/// The body of a `POST` to a mailbox.
pub struct Signal;

/// A message in a batch: a signal with its recipient.
pub struct AddressedSignal;

/// Several messages; either all are accepted or none.
#[derive(ToSchema)]
#[serde(deny_unknown_fields)]
#[allow(dead_code, reason = "only described")]
pub struct SignalBatch {
    /// In the order in which they should arrive; at most 50.
    #[schema(min_items = 1, max_items = 50)]
    messages: Vec<AddressedSignal>,
}

impl ToSchema for Signal {}

impl ToSchema for AddressedSignal {}

impl PartialSchema for Signal {
    fn schema() -> RefOr<Schema> {
        signal(None)
    }
}

impl PartialSchema for AddressedSignal {
    fn schema() -> RefOr<Schema> {
        let kind = SchemaType::from_iter([Type::String, Type::Null]);
        let to = ObjectBuilder::new().schema_type(kind).format(Some(SchemaFormat::KnownFormat(KnownFormat::Uuid)));
        // Many validators do not check formats.
        let to = to.pattern(Some("^[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}$"));
        signal(Some(to.build().into()))
    }
}

/// The schema of a signal with an optional `to`.
fn signal(to: Option<RefOr<Schema>>) -> RefOr<Schema> {
    let mut schema = AnySignal::schema();
    if let RefOr::T(Schema::OneOf(kinds)) = &mut schema {
        if to.is_some() {
            kinds.description =
                Some("A signal with its recipient. Without `to` it goes to all other peers in the room.".into());
        }
        for kind in &mut kinds.items {
            if let RefOr::T(Schema::Object(kind)) = kind {
                kind.properties.extend(to.clone().map(|to| ("to".to_owned(), to)));
            }
        }
    }
    schema
}
