//! Validates JSON without keeping it: decodes strings and numbers as a reader's parser would, which serde skips in a
//! `RawValue`.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Any JSON value with at most this many levels of arrays and objects.
#[derive(Clone, Copy, Debug)]
pub struct StrictJson {
    pub depth_left: usize,
}

impl StrictJson {
    fn nested<E: Error>(self) -> Result<Self, E> {
        let depth_left = self.depth_left.checked_sub(1).ok_or_else(|| E::custom("the JSON is nested too deeply"))?;
        Ok(Self { depth_left })
    }
}

impl<'de> DeserializeSeed<'de> for StrictJson {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

macro_rules! accept {
    ($($visit:ident($($value:ty)?)),*) => {
        $(fn $visit<E>(self $(, _: $value)?) -> Result<(), E> {
            Ok(())
        })*
    };
}

impl<'de> Visitor<'de> for StrictJson {
    type Value = ();

    accept!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64), visit_str(&str), visit_unit());

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let nested = self.nested()?;
        while items.next_element_seed(nested)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let nested = self.nested()?;
        while members.next_entry_seed(nested, nested)?.is_some() {}
        Ok(())
    }
}
