//! Probes: a shader with a copy that logs the decisions of its invocations and counts their work.

use naga::valid::ModuleInfo;
use naga::{Module, ShaderStage};

use super::error::ProfileError;
use super::rewriting::{NAMES, probed};
use super::text::{parse, validate, with_declarations};

/// The probes, which have their names in common.
const PROBES: &str = include_str!("probes.wgsl");
/// Bind groups that a device may have. Every device has half of them.
const GROUPS: u32 = 8;

/// A shader with a copy that has probes.
#[derive(Debug)]
pub struct Probed {
    /// The shader, in the module of the probes, which it does not call.
    pub module: Module,
    /// What naga's validator found in it.
    pub info: ModuleInfo,
    /// The copy that calls the probes. It has no other entry point.
    pub probed: Module,
    /// What naga's validator found in the copy.
    pub(super) probed_info: ModuleInfo,
    /// Source of the module: that of the shader, with the probes on one of its lines.
    pub(super) text: String,
    /// Bytes of the probes in `text`.
    pub(super) probes: std::ops::Range<usize>,
    /// Name of the entry point.
    pub entry: String,
    /// Bind group of the log, whose binding is 0.
    pub group: u32,
}

impl Probed {
    /// Adds probes to the entry point `entry` of WGSL `source`, and to all functions. With `subgroups`, which the device must
    /// support, they tell how many lanes a subgroup has.
    ///
    /// # Errors
    /// Returns an error if the shader is not valid, has no such entry point, or leaves no bind group for the log.
    pub fn new(source: &str, entry: &str, subgroups: bool) -> Result<Self, ProfileError> {
        Self::of(source, entry, [subgroups, false])
    }

    /// Adds probes that log the addresses of accesses to memory too: see [`Probed::new`].
    ///
    /// # Errors
    /// Returns an error as [`Probed::new`] does.
    pub fn with_addresses(
        source: &str,
        entry: &str,
        subgroups: bool,
    ) -> Result<Self, ProfileError> {
        Self::of(source, entry, [subgroups, true])
    }

    fn of(
        source: &str,
        entry: &str,
        [subgroups, addresses]: [bool; 2],
    ) -> Result<Self, ProfileError> {
        let is_name = |(at, _): (usize, &str)| {
            !source[..at].ends_with(|before: char| before.is_alphanumeric() || before == '_')
        };
        if source.match_indices(NAMES).any(is_name) {
            return Err(ProfileError::Unsupported(format!("names that begin with `{NAMES}`")));
        }
        let alone = parse(source)?;
        validate(&alone, source)?;
        let used = |group: u32| {
            let bindings = alone.global_variables.iter().filter_map(|(_, v)| v.binding.as_ref());
            bindings.into_iter().any(|binding| binding.group == group)
        };
        let group = (0..GROUPS).find(|&group| !used(group)).ok_or_else(|| {
            ProfileError::Unsupported(format!("a shader that uses all {GROUPS} bind groups"))
        })?;
        let (text, probes) = with_probes(source, group, subgroups);
        let module = parse(&text)?;
        let info = validate(&module, &text)?;
        let index = module
            .entry_points
            .iter()
            .position(|point| point.stage == ShaderStage::Compute && point.name == entry)
            .ok_or_else(|| ProfileError::NoEntryPoint {
                wanted: entry.to_owned(),
                known: module
                    .entry_points
                    .iter()
                    .filter(|point| point.stage == ShaderStage::Compute)
                    .map(|point| point.name.clone())
                    .collect(),
            })?;
        let probed = probed(&module, &info, index, [subgroups, addresses]);
        let probed_info = validate(&probed, &text)?;
        let entry = entry.to_owned();
        Ok(Self { module, info, probed, probed_info, text, probes, entry, group })
    }

    /// Changes the copy, for instruments of one's own.
    ///
    /// # Errors
    /// Returns an error if the changed copy is not valid.
    pub fn edit(&mut self, change: impl FnOnce(&mut Module)) -> Result<(), ProfileError> {
        change(&mut self.probed);
        self.probed_info = validate(&self.probed, &self.text)?;
        Ok(())
    }
}

/// Returns the shader with the probes, on the lines that it has, and the bytes of the probes.
fn with_probes(source: &str, group: u32, subgroups: bool) -> (String, std::ops::Range<usize>) {
    let code = PROBES.lines().map(|line| line.split("//").next().unwrap_or_default().trim());
    let probes = code.filter(|line| !line.is_empty()).collect::<Vec<_>>().join(" ");
    let probes = probes.replacen("@group(0)", &format!("@group({group})"), 1);
    let probes = match subgroups {
        true => probes,
        // Without subgroup operations nobody asks for the first lane.
        false => probes.replacen("subgroupBroadcastFirst(lane)", "lane", 1),
    };
    with_declarations(source, &probes)
}

#[cfg(test)]
mod tests {
    use super::super::text::end_of_directives;
    use super::*;

    #[test]
    fn probes_stand_after_the_directives_and_leave_the_lines_as_they_are() {
        let source =
            "// enable nothing;\n/* a /* b */ c */ enable f16;\ndiagnostic(off, x);\n\nfn f() {}";
        let end = end_of_directives(source);
        assert_eq!(&source[end..], "\n\nfn f() {}");
        assert_eq!(end_of_directives("fn f() {} enable f16;"), 0);
        for directives in
            ["enable /* ; */ f16;", "enable // a;\n f16;", "// x\renable\tf16;", "enable/**/f16;"]
        {
            assert_eq!(end_of_directives(&format!("{directives} fn f() {{}}")), directives.len());
        }
        assert_eq!(end_of_directives("enabled();"), 0);
        assert_eq!(end_of_directives("enable f16 // no end;"), 0);
        assert_eq!(end_of_directives("// only a comment"), 0);
        let (text, probes) = with_probes(source, 3, false);
        assert!(text[probes].starts_with("@group(3)"));
        assert_eq!(text.lines().count(), source.lines().count());
        assert!(text.contains("@group(3) @binding(0) var<storage, read_write> warplaw_log"));
    }

    #[test]
    fn what_cannot_be_probed_is_refused_in_one_line() {
        let refused = |source: &str, entry: &str| {
            let error =
                Probed::new(source, entry, false).expect_err("the shader is refused").to_string();
            assert!(!error.contains('\n'), "{error}");
            error
        };
        let empty = "@compute @workgroup_size(1) fn main() {}";
        assert!(refused(empty, "other").contains("there is `main`"));
        assert!(refused("fn f( {", "main").contains("not valid WGSL"));
        assert!(refused("var<private> warplaw_x: u32;", "main").contains("`warplaw_`"));
        let groups: String =
            (0..8).map(|g| format!("@group({g}) @binding(0) var<uniform> u{g}: u32;\n")).collect();
        assert!(refused(&format!("{groups}{empty}"), "main").contains("all 8 bind groups"));
    }
}
