//! Encoders and players (docs/whip.md), with a browser that speaks the API and no media.

mod calls;
mod late;
mod options;
mod refusals;
mod restarts;
mod scene;
mod sessions;
