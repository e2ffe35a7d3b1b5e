//! The lanes of a subgroup, as other laws are asked with them.

use crate::predict::domain::LANES;
use crate::predict::{Parameter, REPORTED_WIDTH};

/// As `width` finds them in a record, else as the record's adapter reports them.
pub(crate) const WIDTH: Parameter = Parameter::new("width", "lanes in a subgroup, W", LANES)
    .at(&["width.effective_width", REPORTED_WIDTH]);
