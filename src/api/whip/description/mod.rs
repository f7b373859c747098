//! Session descriptions of encoders and browsers: reading them as far as needed, and mending them. Texts in, texts out.

pub mod answer;
pub mod candidate;
pub mod fragment;
mod mend;
pub mod offer;
mod sdp;
