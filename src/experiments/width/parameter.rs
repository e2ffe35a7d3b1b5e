//! The subgroup width as a parameter of the laws that depend on it.

use crate::predict::domain::WORKGROUP_SIZE;
use crate::predict::{Parameter, REPORTED_WIDTH};

/// Lanes per subgroup. A record provides the width that `width` found, or else the subgroup size that its
/// adapter reports.
pub(crate) const WIDTH: Parameter =
    Parameter::new("width", "lanes in a subgroup, W", WORKGROUP_SIZE)
        .at(&["width.effective_width", REPORTED_WIDTH]);
