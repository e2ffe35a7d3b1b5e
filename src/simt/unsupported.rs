//! What the host cannot execute.

/// Something in a shader that cannot be executed here.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} cannot be executed on the host")]
pub struct Unsupported(pub String);
