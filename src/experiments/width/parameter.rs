//! The lanes of a subgroup, as other laws are asked with them.

use crate::predict::domain::WORKGROUP_SIZE;
use crate::predict::{Parameter, REPORTED_WIDTH};

/// As `width` finds them in a record, else as the record's adapter reports them.
pub(crate) const WIDTH: Parameter =
    Parameter::new("width", "lanes in a subgroup, W", WORKGROUP_SIZE)
        .at(&["width.effective_width", REPORTED_WIDTH]);
