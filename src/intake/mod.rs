//! intake
pub mod schema;
