//! Rules about the source itself. Only std, so that `rustc --test` alone can build them.

mod circles;
mod imports;
mod layers;
mod sizes;
mod sources;
