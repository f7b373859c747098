//! What people look at: the page, and the pages about problems.

pub mod assets;
pub mod document;
