//! WGSL to C++, by way of the Metal shading language that naga writes, for compilers that read neither WGSL nor SPIR-V.

use naga::ShaderStage;
use naga::back::msl;

use crate::Program;
use crate::spirv::UNCHECKED;

/// What a compiler calls the parts of a kernel.
pub(crate) struct Dialect {
    /// Declarations before everything else, which `metal.hpp` needs.
    pub(crate) before: &'static str,
    /// Attributes and return type of a kernel.
    pub(crate) kernel: &'static str,
    /// Attributes of a variable in workgroup memory.
    pub(crate) shared: &'static str,
    /// Expressions of what Metal gives to a kernel, by Metal's attributes.
    pub(crate) values: &'static [(&'static str, &'static str)],
    /// Lines after everything else.
    pub(crate) after: &'static str,
}

/// Translates a program. The kernel has the name `warplaw_kernel`, and a parameter for each buffer.
///
/// # Errors
/// Returns why naga cannot translate it, or which parameter of the entry point is unknown here.
pub(crate) fn to_cpp(program: &Program, dialect: &Dialect) -> Result<String, String> {
    let (module, info) = program.module(false)?;
    let options = msl::Options {
        lang_version: (2, 4),
        fake_missing_bindings: true,
        bounds_check_policies: UNCHECKED,
        zero_initialize_workgroup_memory: false,
        force_loop_bounding: false,
        emit_int_div_checks: false,
        ..msl::Options::default()
    };
    let entry = Some((ShaderStage::Compute, program.entry.to_owned()));
    let pipeline = msl::PipelineOptions { entry_point: entry, ..Default::default() };
    let (text, _) =
        msl::write_string(&module, &info, &options, &pipeline).map_err(|e| e.to_string())?;
    let body: Vec<&str> = text.lines().filter(|line| !is_metal_only(line)).collect();
    let body = without_duplicates(&body.join("\n"));
    let kernel = wrapper(&body, dialect)?;
    let size = program.workgroup_size().to_string();
    let kernel = kernel.replace("WORKGROUP_SIZE", &size);
    let Dialect { before, after, .. } = dialect;
    Ok(format!("{before}\n{}\n{body}\n{kernel}\n{after}\n", include_str!("metal.hpp")))
}

/// Returns whether a line means something in Metal alone.
fn is_metal_only(line: &str) -> bool {
    line.starts_with("#include") || line.starts_with("using metal::")
}

/// Returns the text with one of the two functions that differ in their address space alone.
fn without_duplicates(text: &str) -> String {
    let mut kept = Vec::new();
    for part in text.split("template <typename A>") {
        // The second of two overloads takes a pointer to workgroup memory.
        let head: String = part.lines().take(4).collect();
        if head.contains("threadgroup A") {
            let end = part.find("\n}\n").map_or(part.len(), |end| end + 3);
            kept.push(part[end..].to_owned());
        } else if kept.is_empty() {
            kept.push(part.to_owned());
        } else {
            kept.push(format!("template <typename A>{part}"));
        }
    }
    kept.concat()
}

/// Returns the kernel that calls the entry point of the translation.
fn wrapper(body: &str, dialect: &Dialect) -> Result<String, String> {
    let (_, rest) = body
        .split_once("kernel void ")
        .ok_or_else(|| format!("the translation has no kernel:\n{body}"))?;
    let (name, rest) = rest.split_once('(').ok_or("the kernel has no parameters")?;
    let (parameters, _) = rest.split_once("\n)").ok_or("the parameters have no end")?;
    let (mut buffers, mut shared, mut arguments) = (Vec::new(), String::new(), Vec::new());
    for parameter in parameters.lines().map(|line| line.trim_start_matches([',', ' ']).trim()) {
        if parameter.is_empty() {
            continue;
        }
        let (declared, attribute) = parameter.split_once(" [[").unwrap_or((parameter, ""));
        let (kind, variable) = declared.rsplit_once(' ').ok_or("a parameter has no name")?;
        let attribute = attribute.trim_end_matches("]]");
        if let Some((_, value)) = dialect.values.iter().find(|(metal, _)| *metal == attribute) {
            arguments.push((*value).to_owned());
        } else if let Some(kind) = kind.strip_prefix("threadgroup ") {
            let kind = kind.trim_end_matches('&');
            shared.push_str(&format!("    {} {kind} shared_{variable};\n", dialect.shared));
            arguments.push(format!("shared_{variable}"));
        } else if kind.ends_with('&') {
            buffers.push(format!("{} *{variable}", kind.trim_end_matches('&')));
            arguments.push(format!("*{variable}"));
        } else {
            return Err(format!("the parameter `{parameter}` is unknown"));
        }
    }
    Ok(format!(
        "{} warplaw_kernel({}) {{\n{shared}    {name}({});\n}}",
        dialect.kernel,
        buffers.join(", "),
        arguments.join(", ")
    ))
}
